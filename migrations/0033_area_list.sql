-- Lists of one desa are read from an index in their order, and only what a page shows is fetched from the table.

-- Nothing in it ever changes but the area of somebody who moves, so only a new message writes it.
CREATE INDEX message_area ON message (area, id, class, channel);

-- Whether somebody whom no message reaches lives where it is asked for is told by the index.
DROP INDEX person_unreachable;
CREATE INDEX person_unreachable ON person (id, area) WHERE phone_hash IS NULL;
