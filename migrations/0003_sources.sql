-- Watched sources: how far each is read, what every record said last, what waits for a word of the
-- office, and what somebody should look at.

-- Sources of the configuration, and who reads them.
CREATE TABLE source (
    id                TEXT PRIMARY KEY,    -- as in the configuration
    owner             TEXT,                -- process that watches it
    lease_until       BIGINT,              -- until when, unless renewed
    position          TEXT,                -- how far it is read, in the source's own words; none before the first reading ended
    first_read_at     BIGINT,              -- the first reading ended; nothing before it is announced
    read_at           BIGINT,              -- when the last reading that succeeded began
    scanned_at        BIGINT,              -- when the last reading of everything that succeeded began
    changed_at        BIGINT,              -- when something in it was last found changed
    failed_at         BIGINT,              -- first failed reading since the last that succeeded
    failure           TEXT,                -- why, in words, without secrets or data
    parts             TEXT NOT NULL,       -- its parts that were read, as JSON: one that joins later is first read in silence
    rhythm            TEXT NOT NULL,       -- what is usual for it, domain::rhythm as JSON
    updated_at        BIGINT NOT NULL      -- last changed
);

-- What each record of a source said when it was last taken.
CREATE TABLE source_row (
    source       TEXT NOT NULL,            -- as in the configuration
    key_hash     TEXT NOT NULL,            -- keyed hash of the record's name within its source
    state_hash   TEXT NOT NULL,            -- keyed hash of whose card is in which state
    content_hash TEXT NOT NULL,            -- keyed hash of all it says
    version      BIGINT NOT NULL,          -- how often it changed, from 1
    occurred_at  BIGINT NOT NULL,          -- since when its state is what it is
    seen_at      BIGINT NOT NULL,          -- when it was last taken
    news_at      BIGINT,                   -- when its state came as news; none for what was there before
    rejection_id TEXT,                     -- why it could not be taken
    nik_hash     TEXT,                     -- whose, as in person
    absence      TEXT,                     -- in a register: here, or why they are not told of cards: died, moved, …
    PRIMARY KEY (source, key_hash)
);
CREATE INDEX source_row_person ON source_row (nik_hash) WHERE nik_hash IS NOT NULL;

-- So many changes at once that somebody must say whether they are news.
CREATE TABLE hold (
    id          TEXT PRIMARY KEY,          -- hld_…
    source      TEXT NOT NULL,             -- as in the configuration
    status      TEXT NOT NULL,             -- domain::card::CardStatus of all of them
    opened_at   BIGINT NOT NULL,           -- when it became too many
    last_at     BIGINT NOT NULL,           -- when the last one joined
    decided_at  BIGINT,                    -- when somebody decided
    decision    TEXT,                      -- announce, silent
    decided_by  TEXT,                      -- who
    finished_at BIGINT                     -- when the decision was carried out
);
CREATE UNIQUE INDEX hold_undecided ON hold (source, status) WHERE decided_at IS NULL;
CREATE INDEX hold_unfinished ON hold (id) WHERE finished_at IS NULL;
ALTER TABLE card_update ADD COLUMN hold_id TEXT; -- what it waits for
CREATE INDEX card_update_hold ON card_update (hold_id, id) WHERE hold_id IS NOT NULL;
CREATE INDEX card_update_news ON card_update (source, received_at) WHERE outcome = 'announced';

-- Files that a watched folder brought.
CREATE TABLE source_file (
    source      TEXT NOT NULL,             -- as in the configuration
    file_hash   TEXT NOT NULL,             -- keyed hash of its content
    started_at  BIGINT NOT NULL,           -- first taken up
    finished_at BIGINT,                    -- read to its end, or given up
    result      TEXT,                      -- done, failed
    tally       TEXT,                      -- what became of its rows, counts as JSON
    PRIMARY KEY (source, file_hash)
);

-- What somebody of the office should look at.
CREATE TABLE notice (
    id        TEXT PRIMARY KEY,            -- ntc_…
    kind      TEXT NOT NULL,               -- source_failing, source_silent, source_rejects, held
    subject   TEXT NOT NULL,               -- id of what it is about
    detail    TEXT NOT NULL,               -- in words, without personal data
    opened_at BIGINT NOT NULL,             -- since when
    closed_at BIGINT                       -- no longer so
);
CREATE UNIQUE INDEX notice_open ON notice (kind, subject) WHERE closed_at IS NULL;

ALTER TABLE person ADD COLUMN dusun_sealed TEXT;  -- dusun
-- The register that said so of a binding; none where a code of the counter did.
ALTER TABLE binding ADD COLUMN source TEXT;
