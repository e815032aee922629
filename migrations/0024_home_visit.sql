-- Officers who come to somebody old, ill or disabled: asked for by family or desa, scheduled by the office.
CREATE TABLE home_visit (
    id            TEXT PRIMARY KEY,
    number        TEXT NOT NULL,          -- what the asker and officers call it: R-7KQ4
    origin        TEXT NOT NULL,          -- chat, desk
    contact_id    TEXT,                   -- whose chat is answered; none where a desa asked
    area          TEXT NOT NULL,          -- where to go: a desa, or what is known of it
    whom          TEXT NOT NULL,          -- elderly, ill, disabled, mental_disorder, confined
    work          TEXT NOT NULL,          -- recording, hand_over, family_card
    place_sealed  TEXT NOT NULL,          -- RT and RW, or the way there in words; sealed
    state         TEXT NOT NULL CHECK (state IN ('requested', 'scheduled', 'done', 'declined', 'cancelled')),
    day           TEXT,                   -- on which day, 2026-11-24; none before it is scheduled
    from_time     TEXT,                   -- from when, 09:00
    to_time       TEXT,                   -- until when
    officers      TEXT NOT NULL,          -- who goes, in the office's words; empty before it is scheduled
    because       TEXT,                   -- why it was declined; the asker reads it
    changes       BIGINT NOT NULL,        -- how often it was scheduled: each is told once
    reminded_at   BIGINT,                 -- when the reminder of this schedule was dealt with
    made_at       BIGINT NOT NULL,        -- when it was asked for
    made_by       TEXT NOT NULL,          -- chat, or an officer
    ended_at      BIGINT,                 -- when it was done, declined or cancelled
    ended_by      TEXT                    -- by whose word
);
CREATE UNIQUE INDEX home_visit_number ON home_visit (number) WHERE state IN ('requested', 'scheduled');
CREATE INDEX home_visit_contact ON home_visit (contact_id, state);
CREATE INDEX home_visit_state ON home_visit (state, day, made_at);
