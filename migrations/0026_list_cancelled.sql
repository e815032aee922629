-- A list that never went to its desa gives its cards free again; and a card may stand on another list once it was
-- handed over or given free.

ALTER TABLE collection_list ADD COLUMN cancelled_at BIGINT; -- it does not go there after all
ALTER TABLE collection_list ADD COLUMN cancelled_by TEXT;   -- by whose word
ALTER TABLE collection_item ADD COLUMN released_at BIGINT;  -- the list was cancelled
DROP INDEX collection_item_card;
CREATE UNIQUE INDEX collection_item_card ON collection_item (card_id) WHERE handed_at IS NULL AND released_at IS NULL;
CREATE INDEX collection_item_any ON collection_item (card_id);
-- Lists that wait for the desa's word: few, looked at every morning.
CREATE INDEX collection_list_open ON collection_list (made_at) WHERE taken_at IS NULL AND cancelled_at IS NULL;
