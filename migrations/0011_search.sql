-- What officers look for: cards of an area by their status, failures nobody has dealt with, people without a number.

-- Where its holder lives, so that a list of cards reads no row of another area.
ALTER TABLE card ADD COLUMN area TEXT NOT NULL DEFAULT ''; -- digits of the holder's area code; '' when not known
UPDATE card SET area = COALESCE((SELECT replace(p.area, '.', '') FROM person p WHERE p.id = card.person_id), '');
CREATE INDEX card_status ON card (status, area, id);

-- A failure that an officer dealt with: sent again, told in person, or set aside.
ALTER TABLE message ADD COLUMN handled_at BIGINT; -- when
DROP INDEX message_failed;
CREATE INDEX message_unhandled ON message (id) WHERE status = 'failed' AND class <> 'broadcast' AND handled_at IS NULL;

CREATE INDEX person_without_phone ON person (replace(area, '.', ''), id) WHERE phone_hash IS NULL AND area IS NOT NULL;
