-- What officers see beside a conversation and the texts: the messages of one contact in their order, and what Meta
-- says of the templates that are registered there.

-- Of one conversation the newest messages, among ten million.
CREATE INDEX message_contact ON message (contact_id, created_at) WHERE contact_id IS NOT NULL;

-- Talks that are over, newest first, by where the citizen lives: the filter is looked at before the row.
CREATE INDEX ticket_closed ON ticket (id, area, kind) WHERE closed_at IS NOT NULL;

-- What a provider last said of a registered template.
CREATE TABLE template_state (
    account    TEXT NOT NULL,              -- which of our accounts was told
    name       TEXT NOT NULL,              -- the template's name there
    language   TEXT NOT NULL,              -- its language there: id, en
    state      TEXT,                       -- domain::template_state::TemplateState; none while only the rest is known
    reason     TEXT,                       -- the provider's word for why, as it came: INVALID_FORMAT, FIRST_PAUSE
    detail     TEXT,                       -- the provider's advice in its own words
    category   TEXT,                       -- under which it is charged: utility, marketing, authentication
    quality    TEXT,                       -- how recipients take it: green, yellow, red
    changed_at BIGINT NOT NULL,            -- when the provider last said something
    PRIMARY KEY (account, name, language)
);

-- What the office says in its own words where a file says something else. Words for everybody, nobody's data.
-- Versions are never changed once they were told to citizens.
CREATE TABLE own_answer (
    id           TEXT PRIMARY KEY,         -- own_…; ascending
    label        TEXT NOT NULL,            -- which answer
    state        TEXT NOT NULL CHECK (state IN ('draft', 'published', 'replaced', 'withdrawn')), -- where it is
    parts        TEXT NOT NULL,            -- dialogue::OwnAnswer as JSON
    written_by   TEXT NOT NULL,            -- who wrote it last
    written_at   BIGINT NOT NULL,          -- when
    published_by TEXT,                     -- who let citizens read it
    published_at BIGINT,                   -- when
    ended_by     TEXT,                     -- who replaced it or took it back
    ended_at     BIGINT                    -- when
);
-- One draft, and one that citizens read.
CREATE UNIQUE INDEX own_answer_one ON own_answer (label, state) WHERE state IN ('draft', 'published');
CREATE INDEX own_answer_label ON own_answer (label, id);
