-- Places that serve citizens, as far as answers are made from them: when they are open, where they are on
-- the map, what they do, how they are just now; and the days that are not like others.

ALTER TABLE service_point ADD COLUMN week TEXT;         -- hours of each weekday, Monday first: 08.00-15.00|…
ALTER TABLE service_point ADD COLUMN map TEXT;          -- latitude, longitude in decimal degrees
ALTER TABLE service_point ADD COLUMN services TEXT;     -- domain::service_point::PointService, with commas
ALTER TABLE service_point ADD COLUMN schedule TEXT;     -- where a mobile place is when, in words
ALTER TABLE service_point ADD COLUMN contact TEXT;      -- its public number, as it stands on its board
ALTER TABLE service_point ADD COLUMN status TEXT NOT NULL DEFAULT 'running'; -- domain::service_point::PointStatus
ALTER TABLE service_point ADD COLUMN closed_until TEXT;   -- last day of a closure, YYYY-MM-DD
ALTER TABLE service_point ADD COLUMN closed_because TEXT; -- why it is closed
ALTER TABLE service_point ADD COLUMN blanko TEXT NOT NULL DEFAULT 'unknown'; -- domain::service_point::BlankoStock
ALTER TABLE service_point ADD COLUMN blanko_at BIGINT;    -- when that was said
ALTER TABLE service_point ADD COLUMN state_at BIGINT;     -- when status or blanko was last set by hand
ALTER TABLE service_point ADD COLUMN state_by TEXT;       -- by whom: a token's or officer's name

-- Days on which places are closed, or open at other hours.
CREATE TABLE holiday (
    date       TEXT NOT NULL,              -- YYYY-MM-DD
    area       TEXT NOT NULL,              -- dotted code of where it holds; '' for everywhere
    name       TEXT NOT NULL,              -- what citizens are told
    hours      TEXT,                       -- hours of that day, 08.00-14.00; NULL when closed
    updated_at BIGINT NOT NULL,            -- when it was imported like this
    PRIMARY KEY (date, area)
);
