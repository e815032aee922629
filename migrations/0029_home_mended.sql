-- What a source said of somebody's home before their desa mended it, as keyed hashes: a source that goes on saying the
-- same is not believed again; another value is news.
ALTER TABLE person ADD COLUMN address_was TEXT;
ALTER TABLE person ADD COLUMN rt_was TEXT;
ALTER TABLE person ADD COLUMN rw_was TEXT;
-- Cards in an office whose holder died or moved away are listed.
CREATE INDEX round_item_absent ON round_item (id) WHERE next = 'absent' AND next_done_at IS NOT NULL;
