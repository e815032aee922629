-- What of a small area did not go well is read by area, and nothing of anybody else.
CREATE INDEX message_ended_area ON message (area, status, id) WHERE status NOT IN ('queued', 'sending', 'sent', 'delivered', 'read');
