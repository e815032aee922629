-- What was not understood: as it was asked, in groups for the office to work off, and as the examples
-- that come of it. The texts are redacted; names may still be in them, so they are sealed.

-- Questions that have not found their group yet. What was asked back waits here for the citizen to
-- take one of the answers offered; then it was understood, and goes.
CREATE TABLE question (
    id           TEXT PRIMARY KEY,         -- qst_…
    contact_id   TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE, -- in whose conversation
    address_hash TEXT NOT NULL,            -- keyed hash of the address it came from
    text_sealed  TEXT NOT NULL,            -- the beginning of the redacted text
    near         TEXT NOT NULL,            -- labels it seemed near to, the nearest first, with blanks between
    area         TEXT,                     -- dotted area code of whoever asked
    asked_at     BIGINT NOT NULL,          -- when
    due_at       BIGINT NOT NULL           -- not put into a group before; later than asked_at if it was asked back
);
CREATE INDEX question_due ON question (due_at, id);
CREATE INDEX question_contact ON question (contact_id);

-- The same question of several people, in whatever words.
CREATE TABLE question_group (
    id               TEXT PRIMARY KEY,     -- qgr_…
    key_hash         TEXT NOT NULL UNIQUE, -- keyed hash of the stems of its first wording
    stems_sealed     TEXT NOT NULL,        -- those stems, for finding near wordings
    sample_sealed    TEXT NOT NULL,        -- its first wording
    near             TEXT NOT NULL,        -- as in question, of whoever asked last
    area             TEXT,                 -- the smallest area that holds all who asked
    times            BIGINT NOT NULL,      -- how often it was asked; one person counts once a day
    first_asker_hash TEXT,                 -- keyed hash of who asked first; none once it does not matter
    shared_at        BIGINT,               -- when a second person asked it
    first_at         BIGINT NOT NULL,      -- asked first
    last_at          BIGINT NOT NULL,      -- asked last
    state            TEXT NOT NULL CHECK (state IN ('open', 'taught', 'ignored')),
    label            TEXT,                 -- what it was taught as
    decided_by       TEXT,                 -- who decided
    decided_at       BIGINT                -- when
);
CREATE INDEX question_group_recent ON question_group (last_at) WHERE state = 'open';
CREATE INDEX question_group_asker ON question_group (last_at) WHERE first_asker_hash IS NOT NULL;
CREATE INDEX question_group_rank ON question_group (state, times, id);

-- Further wordings of a group, a few of each.
CREATE TABLE question_text (
    key_hash    TEXT PRIMARY KEY,          -- keyed hash of the wording's stems
    group_id    TEXT NOT NULL REFERENCES question_group (id) ON DELETE CASCADE, -- whose
    text_sealed TEXT NOT NULL,             -- the wording
    added_at    BIGINT NOT NULL            -- when it was first asked so
);
CREATE INDEX question_text_group ON question_text (group_id, added_at);

-- Who asked on which day, so that somebody who asks five times counts once. Purged after 30 days.
CREATE TABLE question_asker (
    asker_hash TEXT NOT NULL,              -- keyed hash of address and day
    group_id   TEXT NOT NULL REFERENCES question_group (id) ON DELETE CASCADE, -- what
    asked_at   BIGINT NOT NULL,            -- when
    PRIMARY KEY (asker_hash, group_id)
);
CREATE INDEX question_asker_old ON question_asker (asked_at);
CREATE INDEX question_asker_group ON question_asker (group_id);

-- Questions whose answer the office taught. Rows are never deleted: every process sees by their number
-- whether there is something new.
CREATE TABLE taught_example (
    id           TEXT PRIMARY KEY,         -- tau_…
    label        TEXT NOT NULL,            -- what it means
    text_sealed  TEXT NOT NULL,            -- the question
    group_id     TEXT REFERENCES question_group (id) ON DELETE SET NULL, -- where it comes from
    taught_by    TEXT NOT NULL,            -- who taught it
    taught_at    BIGINT NOT NULL,          -- when
    withdrawn_by TEXT,                     -- who took it back
    withdrawn_at BIGINT                    -- when; from then on it is no example
);
CREATE INDEX taught_example_group ON taught_example (group_id);
