-- Cards that wait: at a point for their holders, or for a blank card; and what an office says when it cannot work.

ALTER TABLE card ADD COLUMN collect_since BIGINT; -- since when it lies ready to be collected; none when it does not
ALTER TABLE card ADD COLUMN collect_step BIGINT NOT NULL DEFAULT 0; -- rungs of the reminder ladder that are behind it
ALTER TABLE card ADD COLUMN collect_due_at BIGINT; -- when its holder is reminded next
ALTER TABLE card ADD COLUMN taken_said_at BIGINT; -- when a citizen said that they have it; the source has not said so
ALTER TABLE card ADD COLUMN queue_at BIGINT;      -- since when it waits for a blank card; none when it does not
ALTER TABLE card ADD COLUMN queue_rank BIGINT NOT NULL DEFAULT 1; -- 0 goes before 1, where the office says so
ALTER TABLE card ADD COLUMN blanko_used_at BIGINT; -- when its blank card was taken off the ledger; nobody does so twice
-- The first look at each finds the rung that is next; those long past are left out.
UPDATE card SET collect_since = status_at, collect_due_at = status_at + 604800000 WHERE status = 'ready_to_collect';
UPDATE card SET queue_at = status_at WHERE status IN ('ready_to_print', 'waiting_for_blank') AND document = 'ktp-el';

CREATE INDEX card_collect ON card (collect_due_at) WHERE collect_due_at IS NOT NULL;
CREATE INDEX card_unclaimed ON card (area, collect_since, id) WHERE collect_since IS NOT NULL;
CREATE INDEX card_taken_said ON card (area, id) WHERE taken_said_at IS NOT NULL;
-- One queue for each kabupaten: the first four digits of the area.
CREATE INDEX card_queue ON card (substr(area, 1, 4), queue_rank, queue_at, id) WHERE queue_at IS NOT NULL;

-- What came in, went out and was counted of blank cards at a point; never changed.
CREATE TABLE blanko_entry (
    id         TEXT PRIMARY KEY,       -- bln_…
    point      TEXT NOT NULL,          -- code of the service point
    kind       TEXT NOT NULL,          -- domain::blanko::EntryKind
    cards      BIGINT NOT NULL,        -- how many
    day        TEXT NOT NULL,          -- of which day, YYYY-MM-DD
    note       TEXT,                   -- what else somebody wrote
    said_by    TEXT NOT NULL,          -- who
    created_at BIGINT NOT NULL         -- when
);
CREATE INDEX blanko_entry_point ON blanko_entry (point, id);

-- Blank cards that were printed on, counted by themselves, day by day.
CREATE TABLE blanko_printed (
    point   TEXT NOT NULL,             -- code of the service point
    day     TEXT NOT NULL,             -- YYYY-MM-DD
    counted TEXT NOT NULL,             -- the count they come after, '' before the first
    cards   BIGINT NOT NULL,           -- how many
    last_at BIGINT NOT NULL,           -- when the last was counted
    PRIMARY KEY (point, day, counted)
);

-- When the ledger last said how a point's stock is; equals blanko_at unless somebody has said otherwise since.
ALTER TABLE service_point ADD COLUMN blanko_ledger_at BIGINT;

-- An office cannot work, somewhere.
CREATE TABLE outage (
    id        TEXT PRIMARY KEY,        -- out_…
    kind      TEXT NOT NULL,           -- domain::outage::OutageKind
    area      TEXT NOT NULL,           -- where
    reason    TEXT NOT NULL,           -- what citizens are told
    since     BIGINT NOT NULL,         -- since when, by the officer's word
    begun_at  BIGINT NOT NULL,         -- declared
    begun_by  TEXT NOT NULL,           -- by whom
    lifted_at BIGINT,                  -- over
    lifted_by TEXT,                    -- by whose word
    work      TEXT,                    -- begin or over while people are being told; none when all are
    reached   TEXT NOT NULL DEFAULT '' -- behind which row telling goes on
);
CREATE INDEX outage_running ON outage (area) WHERE lifted_at IS NULL;
CREATE INDEX outage_work ON outage (id) WHERE work IS NOT NULL;

-- Who heard of an outage.
CREATE TABLE outage_told (
    outage_id TEXT NOT NULL REFERENCES outage (id),
    person_id TEXT NOT NULL,           -- whom
    card_id   TEXT NOT NULL,           -- on account of which card
    day       TEXT NOT NULL,           -- on which day, by their clock
    over_at   BIGINT,                  -- when they were told that it is over
    PRIMARY KEY (outage_id, person_id)
);
CREATE INDEX outage_told_person ON outage_told (person_id, day);

-- Cards that an office hands to a desa, and the paper that says so.
CREATE TABLE collection_list (
    id         TEXT PRIMARY KEY,       -- col_…
    number     TEXT NOT NULL UNIQUE,   -- as it stands on the paper
    area       TEXT NOT NULL,          -- which desa
    place      TEXT NOT NULL,          -- where the cards lie there
    made_at    BIGINT NOT NULL,        -- when
    made_by    TEXT NOT NULL,          -- by whom
    taken_at   BIGINT,                 -- the desa has them
    taken_by   TEXT                    -- by whose word
);
CREATE INDEX collection_list_area ON collection_list (area, id);

CREATE TABLE collection_item (
    list_id    TEXT NOT NULL REFERENCES collection_list (id),
    position   BIGINT NOT NULL,        -- on the paper
    card_id    TEXT NOT NULL,          -- which card
    handed_at  BIGINT,                 -- into the citizen's hand
    handed_by  TEXT,                   -- by whom
    PRIMARY KEY (list_id, position)
);
CREATE UNIQUE INDEX collection_item_card ON collection_item (card_id);
