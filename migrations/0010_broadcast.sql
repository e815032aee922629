-- Broadcasts of sosialisasi: what they say, whom they are for, each time they went out, and what became
-- of every message. What a notice says is public, and stands as it is; numbers of a list are sealed.

-- Notices to many.
CREATE TABLE broadcast (
    id          TEXT PRIMARY KEY,          -- bro_…; ascending
    state       TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'scheduled', 'sending',
                    'paused', 'stopped', 'finished', 'cancelled')), -- domain::broadcast::BroadcastState
    title       TEXT NOT NULL,             -- what it is about
    body        TEXT NOT NULL,             -- the notice
    place       TEXT,                      -- where
    time_words  TEXT,                      -- when, in words
    audience    TEXT NOT NULL,             -- domain::audience::Audience as JSON
    schedule    TEXT NOT NULL,             -- now, at:MILLISECONDS or cron:FIELDS
    area        TEXT NOT NULL,             -- digits of the smallest area that holds its audience
    maker       TEXT NOT NULL,             -- who wrote or changed it last: off_…, tok_…, cli
    maker_role  TEXT NOT NULL,             -- their role at that time
    maker_area  TEXT NOT NULL,             -- digits of their area at that time
    checker     TEXT,                      -- the second person who agreed; none where none was needed
    checked_at  BIGINT,                    -- when they did
    note        TEXT,                      -- why it was sent back
    recipients  BIGINT,                    -- how many it would reach, counted when it was submitted
    alarm       TEXT,                      -- domain::broadcast::Alarm: why it holds itself
    alarm_code  TEXT,                      -- the provider's code
    next_at     BIGINT,                    -- when it goes out next
    created_at  BIGINT NOT NULL,           -- first written
    updated_at  BIGINT NOT NULL            -- last changed
);
CREATE INDEX broadcast_area ON broadcast (area, id);
CREATE INDEX broadcast_due ON broadcast (next_at) WHERE next_at IS NOT NULL;

-- The list somebody uploaded for one.
CREATE TABLE broadcast_entry (
    broadcast_id TEXT NOT NULL REFERENCES broadcast (id), -- whose
    number       BIGINT NOT NULL,          -- its place on the list, from 1
    phone_hash   TEXT,                     -- keyed hash of the number, where the list has one
    phone_sealed TEXT,                     -- the number
    person_id    TEXT,                     -- whom a reference on the list belongs to
    PRIMARY KEY (broadcast_id, number)
);

-- Each time a broadcast goes out.
CREATE TABLE broadcast_run (
    id           TEXT PRIMARY KEY,         -- run_…; ascending
    broadcast_id TEXT NOT NULL REFERENCES broadcast (id), -- whose
    state        TEXT NOT NULL CHECK (state IN ('sending', 'paused', 'stopped', 'finished', 'cancelled')), -- domain::broadcast::RunState
    due_at       BIGINT NOT NULL,          -- the date it was due
    retry_of     TEXT,                     -- the run whose failures it tries again
    position     TEXT,                     -- how far its recipients are in the outbox; none at the beginning
    recipients   BIGINT NOT NULL,          -- put into the outbox so far
    left_out     TEXT NOT NULL,            -- those left out so far, counts by reason as JSON
    ways         TEXT NOT NULL,            -- recipients by account as JSON
    started_at   BIGINT NOT NULL,          -- begun
    expanded_at  BIGINT,                   -- all recipients are in the outbox
    departed_at  BIGINT,                   -- nothing of it waits any more
    finished_at  BIGINT,                   -- over
    UNIQUE (broadcast_id, due_at)
);
CREATE INDEX broadcast_run_active ON broadcast_run (id) WHERE finished_at IS NULL;

ALTER TABLE message ADD COLUMN run_id TEXT; -- the run of a broadcast it belongs to
CREATE INDEX message_run ON message (run_id, status, id) WHERE run_id IS NOT NULL;
-- How many an account wrote to within a day, for the provider's limit.
CREATE INDEX message_broadcast_day ON message (account, created_at) WHERE class = 'broadcast';
