-- Lists of one area's messages read no row of another area.

ALTER TABLE message ADD COLUMN area TEXT NOT NULL DEFAULT ''; -- digits of the area code of whom it is about; '' when not known
UPDATE message SET area = COALESCE((SELECT replace(p.area, '.', '') FROM person p WHERE p.id = message.person_id), '')
    WHERE person_id IS NOT NULL;

-- Failures nobody has dealt with: of a small area by area, of a large one newest first.
DROP INDEX message_unhandled;
CREATE INDEX message_unhandled ON message (id, area)
    WHERE status = 'failed' AND class <> 'broadcast' AND handled_at IS NULL;
CREATE INDEX message_unhandled_area ON message (area, id)
    WHERE status = 'failed' AND class <> 'broadcast' AND handled_at IS NULL;

-- What did not go well is little among much, and looked for more often than what did.
CREATE INDEX message_ended ON message (status, id) WHERE status IN ('unknown', 'failed', 'expired', 'cancelled');
CREATE INDEX message_broadcast ON message (id) WHERE class = 'broadcast';
