-- Officers who look up cards and write broadcasts from a chat.

-- One-time codes with which an officer ties a chat; of each officer the last one counts.
CREATE TABLE officer_chat_code (
    officer_id TEXT PRIMARY KEY REFERENCES officer (id), -- whose
    code_hash  TEXT NOT NULL UNIQUE,       -- keyed hash of the code
    expires_at BIGINT NOT NULL             -- not taken from then on
);

-- The chat of an officer: one each, and no chat is two officers'.
CREATE TABLE officer_chat (
    officer_id   TEXT PRIMARY KEY REFERENCES officer (id), -- whose
    account      TEXT NOT NULL,            -- our account they write to
    chat_hash    TEXT NOT NULL UNIQUE,     -- keyed hash of the chat, as in contact
    chat_sealed  TEXT NOT NULL,            -- the chat
    tied_at      BIGINT NOT NULL,          -- since when
    steps_sealed TEXT,                     -- what they are in the middle of, as JSON
    steps_until  BIGINT                    -- forgotten from then on
);

-- Chats from which codes came that nobody was given.
CREATE TABLE officer_chat_guess (
    chat_hash TEXT PRIMARY KEY,            -- keyed hash of the chat
    count     BIGINT NOT NULL,             -- how many since first_at
    first_at  BIGINT NOT NULL              -- when the first came
);
