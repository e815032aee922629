-- Visits without queueing: sessions with a number of places, and who comes to them when.

-- The hours of a point's counter, week for week.
CREATE TABLE session_plan (
    id         TEXT PRIMARY KEY,       -- spl_…
    point      TEXT NOT NULL,          -- code of the service point
    weekday    BIGINT NOT NULL,        -- 0 for Monday
    time_from  TEXT NOT NULL,          -- HH:MM, by the point's clock
    time_to    TEXT NOT NULL,          -- HH:MM
    services   TEXT NOT NULL,          -- domain::service_point::PointService, with commas
    quota      BIGINT NOT NULL,        -- places of each session
    made_at    BIGINT NOT NULL,        -- when
    made_by    TEXT NOT NULL,          -- by whom
    laid_to    TEXT,                   -- the last day, YYYY-MM-DD, for which a session was looked at
    ended_at   BIGINT,                 -- nothing is laid out any more from then on
    ended_by   TEXT                    -- by whose word
);
CREATE INDEX session_plan_point ON session_plan (point, id) WHERE ended_at IS NULL;
CREATE INDEX session_plan_lay ON session_plan (id) WHERE ended_at IS NULL;

-- A place, a day, from when to when, and how many may come.
CREATE TABLE service_session (
    id          TEXT PRIMARY KEY,      -- svs_…
    kind        TEXT NOT NULL,         -- domain::appointment::SessionKind
    point       TEXT,                  -- code of the service point; none for a stop with a place of its own
    plan_id     TEXT,                  -- the plan it was laid out from
    place       TEXT NOT NULL,         -- as citizens read it
    place_short TEXT NOT NULL,         -- the same for SMS
    area        TEXT NOT NULL,         -- where, digits of the area code
    map         TEXT,                  -- latitude, longitude
    day         TEXT NOT NULL,         -- YYYY-MM-DD, by the place's clock
    time_from   TEXT NOT NULL,         -- HH:MM
    time_to     TEXT NOT NULL,         -- HH:MM
    begins_at   BIGINT NOT NULL,       -- the same as moments
    ends_at     BIGINT NOT NULL,       -- …
    remind_at   BIGINT NOT NULL,       -- when those who are booked are reminded
    services    TEXT NOT NULL,         -- domain::service_point::PointService, with commas
    quota       BIGINT NOT NULL,       -- places
    held        BIGINT NOT NULL,       -- of these, kept from the chat for the old, the disabled and those who walk in
    made_at     BIGINT NOT NULL,       -- when
    made_by     TEXT NOT NULL,         -- by whom; plan when laid out
    closed_at   BIGINT,                -- called off
    closed_by   TEXT,                  -- by whom
    closed_because TEXT,               -- what citizens are told
    settled_at  BIGINT                 -- over, and everybody's state is final
);
CREATE UNIQUE INDEX service_session_plan ON service_session (plan_id, day) WHERE plan_id IS NOT NULL;
CREATE INDEX service_session_ahead ON service_session (ends_at, id) WHERE settled_at IS NULL;
CREATE INDEX service_session_remind ON service_session (remind_at, begins_at)
    WHERE settled_at IS NULL AND closed_at IS NULL;
CREATE INDEX service_session_area ON service_session (area, begins_at, id);
CREATE INDEX service_session_point ON service_session (point, begins_at) WHERE closed_at IS NULL;

-- One citizen's place in a session, or in the line for one.
CREATE TABLE appointment (
    id          TEXT PRIMARY KEY,      -- apt_…; the line goes by it
    code        TEXT NOT NULL,         -- J-7KQ4
    session_id  TEXT NOT NULL REFERENCES service_session (id), -- which session
    service     TEXT NOT NULL,         -- label of the answer: req_ktp_lost
    origin      TEXT NOT NULL,         -- domain::appointment::Origin
    contact_id  TEXT,                  -- the chat that asked
    person_id   TEXT,                  -- whom it belongs to, where that is one person
    who_sealed  TEXT,                  -- a name told at the counter
    lacks_sealed TEXT NOT NULL,        -- what they did not have when they asked, as a JSON list of words
    seat        BIGINT,                -- which place, from 0; none while they wait for one
    comes       TEXT,                  -- when they were told to come, HH:MM by the place's clock
    state       TEXT NOT NULL,         -- domain::appointment::AppointmentState
    tell        TEXT,                  -- domain::appointment::Tell: what they are still to be told
    reminded_at BIGINT,                -- when the reminder was dealt with
    made_at     BIGINT NOT NULL,       -- when
    made_by     TEXT NOT NULL,         -- chat, or the officer
    ended_at    BIGINT,                -- when it left waiting or booked
    ended_by    TEXT                   -- by whose word
);
CREATE UNIQUE INDEX appointment_code ON appointment (code) WHERE state IN ('waiting', 'booked');
CREATE UNIQUE INDEX appointment_seat ON appointment (session_id, seat) WHERE state IN ('booked', 'served');
CREATE UNIQUE INDEX appointment_one ON appointment (session_id, service, contact_id)
    WHERE state IN ('waiting', 'booked') AND contact_id IS NOT NULL;
CREATE INDEX appointment_session ON appointment (session_id, id);
CREATE INDEX appointment_contact ON appointment (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE INDEX appointment_old_code ON appointment (code, id);
CREATE INDEX appointment_tell ON appointment (id) WHERE tell IS NOT NULL;
CREATE INDEX appointment_remind ON appointment (session_id) WHERE state = 'booked' AND reminded_at IS NULL;

-- Whose appointment an outage concerns, and what they heard of it.
CREATE TABLE outage_appointment (
    outage_id      TEXT NOT NULL REFERENCES outage (id), -- which outage
    appointment_id TEXT NOT NULL REFERENCES appointment (id), -- whose
    told_at        BIGINT,             -- when they heard that it began; none for who need not, or heard as holder of a card
    over_at        BIGINT,             -- when they heard that it is over, or need not
    PRIMARY KEY (outage_id, appointment_id)
);
CREATE INDEX outage_appointment_of ON outage_appointment (appointment_id);
CREATE INDEX outage_appointment_open ON outage_appointment (outage_id, appointment_id) WHERE over_at IS NULL;
