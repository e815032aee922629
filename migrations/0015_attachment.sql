-- A picture or a PDF that a broadcast brings, kept once by what is in it, and where providers already hold it.
-- What an office sends to everybody is no citizen's data, and stands unsealed.

CREATE TABLE attachment (
    hash       TEXT PRIMARY KEY,           -- SHA-256 of the bytes
    kind       TEXT NOT NULL,              -- domain::attachment::FileKind
    size       BIGINT NOT NULL,            -- bytes
    body       TEXT NOT NULL,              -- the bytes in base64, which every engine keeps alike
    created_at BIGINT NOT NULL             -- first uploaded
);

-- The name by which an account's provider knows one.
CREATE TABLE attachment_handle (
    hash       TEXT NOT NULL REFERENCES attachment (hash) ON DELETE CASCADE,
    account    TEXT NOT NULL,              -- which account
    handle     TEXT NOT NULL,              -- media id of Meta, file id of Telegram
    expires_at BIGINT,                     -- from then on it must be uploaded anew; none for never
    PRIMARY KEY (hash, account)
);

ALTER TABLE broadcast ADD COLUMN file_hash TEXT; -- what it brings
ALTER TABLE broadcast ADD COLUMN file_kind TEXT; -- domain::attachment::FileKind
ALTER TABLE broadcast ADD COLUMN file_name TEXT; -- how that is called on the phone
CREATE INDEX broadcast_file ON broadcast (file_hash) WHERE file_hash IS NOT NULL;
