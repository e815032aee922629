-- The conversation: what citizens put before an officer, what happens to it, and the survey.

-- Talks with an officer, complaints, requests to delete data.
CREATE TABLE ticket (
    id          TEXT PRIMARY KEY,          -- tkt_…
    kind        TEXT NOT NULL CHECK (kind IN ('human', 'complaint', 'deletion')), -- what it is about
    state       TEXT NOT NULL CHECK (state IN ('open', 'taken', 'closed')),       -- where it is; never back
    number      TEXT UNIQUE,               -- P-7KQ4, by which a citizen follows a complaint
    contact_id  TEXT NOT NULL REFERENCES contact (id), -- whose conversation
    account     TEXT NOT NULL,             -- our account they write to
    area        TEXT,                      -- dotted area code of the person, where they are on file
    category    TEXT,                      -- what a complaint is about; pungli where money was asked for
    text_sealed TEXT,                      -- the complaint in the citizen's own words, redacted
    due_at      BIGINT,                    -- by when the office must have dealt with it
    opened_at   BIGINT NOT NULL,           -- since when it is there
    touched_at  BIGINT NOT NULL,           -- when either side last did something
    taken_at    BIGINT,                    -- when an officer took it
    taken_by    TEXT,                      -- who
    closed_at   BIGINT,                    -- done
    closed_by   TEXT                       -- who closed it: an officer, 'citizen', or 'time'
);
-- One talk and one request at a time: whoever asks again keeps their place.
CREATE UNIQUE INDEX ticket_one ON ticket (contact_id, kind) WHERE closed_at IS NULL AND kind <> 'complaint';
CREATE INDEX ticket_open ON ticket (kind, state, id) WHERE closed_at IS NULL;
CREATE INDEX ticket_contact ON ticket (contact_id);
CREATE INDEX ticket_untouched ON ticket (touched_at) WHERE closed_at IS NULL;

-- What happened to a ticket: messages of both sides, and every look and change of an officer.
CREATE TABLE ticket_entry (
    id         TEXT PRIMARY KEY,           -- tke_…
    ticket_id  TEXT NOT NULL REFERENCES ticket (id), -- which ticket
    what       TEXT NOT NULL,              -- opened, inbound, reply, taken, looked, closed
    inbound_id TEXT,                       -- the citizen's message
    message_id TEXT,                       -- the officer's message
    by_whom    TEXT,                       -- which officer
    at         BIGINT NOT NULL             -- when
);
CREATE INDEX ticket_entry_ticket ON ticket_entry (ticket_id, id);

-- Ratings, counted. Nobody's: there is neither a row a person nor a moment to find them by.
CREATE TABLE survey_answer (
    document TEXT NOT NULL,                -- which paper was received; '' where that is not known
    area     TEXT NOT NULL,                -- dotted area code, down to the desa
    element  TEXT NOT NULL,                -- persyaratan, prosedur, …: Permenpan RB 14/2017 by name
    score    BIGINT NOT NULL CHECK (score BETWEEN 1 AND 4), -- 1 not good, 4 very good
    day      TEXT NOT NULL,                -- the office's day, YYYY-MM-DD
    answers  BIGINT NOT NULL,              -- how many answered so
    PRIMARY KEY (document, area, element, score, day)
);

ALTER TABLE card ADD COLUMN survey_due_at BIGINT; -- when its holder is asked how it was
ALTER TABLE card ADD COLUMN survey_at BIGINT;     -- asked; nobody is asked twice about one card
CREATE INDEX card_survey ON card (survey_due_at) WHERE survey_due_at IS NOT NULL;
