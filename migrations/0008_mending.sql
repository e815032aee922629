-- What ran long or grew without end: indexes for what is counted and listed; and words that earlier files
-- leave out. CHECKs that SQLite cannot add to a column that is there (service_point.status and blanko,
-- ticket.closed_by) are left to the types that write them.
--
-- ticket.closed_by is 'merged' too: of two talks of one person under two contacts one is closed.
-- question_group.state is what the office decided: 'open' is nothing yet, 'taught' made its texts
-- examples of a label, 'ignored' set it aside.

-- The talks, complaints and requests that wait, oldest first.
CREATE INDEX ticket_waiting ON ticket (id) WHERE closed_at IS NULL;

-- Talks that time may close; complaints and requests, which it never does, are not looked through.
DROP INDEX ticket_untouched;
CREATE INDEX ticket_untouched ON ticket (kind, touched_at) WHERE closed_at IS NULL;

-- The same table as before, with its words checked. What it refers to may be purged before it, so its ids of
-- messages are no foreign keys.
CREATE TABLE ticket_entry_checked (
    id         TEXT PRIMARY KEY,           -- tke_…
    ticket_id  TEXT NOT NULL REFERENCES ticket (id), -- which ticket
    what       TEXT NOT NULL CHECK (what IN ('opened', 'inbound', 'reply', 'taken', 'looked', 'closed')), -- what happened
    inbound_id TEXT,                       -- the citizen's message, as long as that is kept
    message_id TEXT,                       -- the officer's message, as long as that is kept
    by_whom    TEXT,                       -- which officer
    at         BIGINT NOT NULL             -- when
);
INSERT INTO ticket_entry_checked (id, ticket_id, what, inbound_id, message_id, by_whom, at)
    SELECT id, ticket_id, what, inbound_id, message_id, by_whom, at FROM ticket_entry;
DROP TABLE ticket_entry;
ALTER TABLE ticket_entry_checked RENAME TO ticket_entry;
CREATE INDEX ticket_entry_ticket ON ticket_entry (ticket_id, id);
-- Whether an officer looked a short time ago already.
CREATE INDEX ticket_entry_look ON ticket_entry (ticket_id, at) WHERE what = 'looked';

-- The ratings of the last months, without those of years.
CREATE INDEX survey_answer_day ON survey_answer (day, element, score, answers, area);

-- How often what was asked in the last days, without reading what was asked.
CREATE INDEX inbound_intent ON inbound (received_at, intent);
