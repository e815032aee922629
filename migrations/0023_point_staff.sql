-- Who works at a service point, and who did.
CREATE TABLE point_staff (
    point      TEXT NOT NULL,          -- code of the service point
    officer_id TEXT NOT NULL,          -- which officer
    since_at   BIGINT NOT NULL,        -- from when
    since_by   TEXT NOT NULL,          -- by whose word
    until_at   BIGINT,                 -- until when; none while they work there
    until_by   TEXT,                   -- by whose word
    PRIMARY KEY (point, officer_id, since_at)
);
CREATE UNIQUE INDEX point_staff_now ON point_staff (point, officer_id) WHERE until_at IS NULL;
CREATE INDEX point_staff_officer ON point_staff (officer_id) WHERE until_at IS NULL;
