-- What rounds did not keep: since when a card really waits, which day its holder heard of, whether it was missing when
-- the courier set out, and whether the code of a report that contradicts was right.

ALTER TABLE round_item ADD COLUMN waits_since BIGINT; -- since when its card waits to be brought; NULL for what is older than this column
ALTER TABLE round_item ADD COLUMN heard_day TEXT;     -- the day its holder heard of before the round was moved, YYYY-MM-DD
ALTER TABLE round_item ADD COLUMN moved_at BIGINT;    -- when the round was last moved: what was told before speaks of another day
ALTER TABLE round_item ADD COLUMN missing_at BIGINT;  -- when it was not where the courier should have taken it from
ALTER TABLE round_report ADD COLUMN code TEXT;        -- of a report that contradicts: right, wrong or none; NULL for no hand-over

-- Cards in a courier's bag, few among all.
CREATE INDEX custody_carried ON custody (card_id) WHERE until_at IS NULL AND substr(holder, 1, 8) = 'courier ';
-- Rounds that are over, newest first.
CREATE INDEX delivery_round_ended ON delivery_round (ended_at) WHERE ended_at IS NOT NULL;
