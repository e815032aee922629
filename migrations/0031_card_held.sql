-- The morning page asks which printed cards nobody has: an index answers that, however many cards there are.

ALTER TABLE card ADD COLUMN held_at BIGINT; -- since when somebody has it on record; NULL while nobody ever had
UPDATE card SET held_at = (SELECT MIN(from_at) FROM custody WHERE card_id = card.id)
WHERE EXISTS (SELECT 1 FROM custody WHERE card_id = card.id);
-- Said twice the other way round: SQLite would follow a plain list of statuses to the index of all cards by status.
CREATE INDEX card_unheld ON card (area) WHERE held_at IS NULL
    AND NOT (status NOT IN ('printed', 'shipped', 'home_delivery_scheduled', 'ready_to_collect'));
