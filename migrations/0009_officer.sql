-- Officers with an area, their sessions in the console, and the trail of who did and saw what.

ALTER TABLE officer ADD COLUMN name TEXT NOT NULL DEFAULT '';       -- as colleagues call them
ALTER TABLE officer ADD COLUMN area TEXT NOT NULL DEFAULT '';       -- dotted code; '' is the whole country
ALTER TABLE officer ADD COLUMN language TEXT NOT NULL DEFAULT 'id'; -- of the console: id, en
ALTER TABLE officer ADD COLUMN totp_sealed TEXT;                    -- secret of the second factor
ALTER TABLE officer ADD COLUMN totp_confirmed_at BIGINT;            -- since when a code of it is asked for
ALTER TABLE officer ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0; -- step of the last code taken: none is taken twice
ALTER TABLE officer ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;  -- wrong passwords or codes since the last right one
ALTER TABLE officer ADD COLUMN locked_until BIGINT;                 -- no password is looked at before
ALTER TABLE officer ADD COLUMN must_change_at BIGINT;               -- the password was given by somebody else, and must be changed
ALTER TABLE officer ADD COLUMN last_login_at BIGINT;                -- last time they came in
ALTER TABLE officer ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0; -- last changed

ALTER TABLE api_token ADD COLUMN area TEXT NOT NULL DEFAULT '';     -- dotted code of what it may see; '' is the whole country
ALTER TABLE api_token ADD COLUMN expires_at BIGINT;                 -- not valid from then on
ALTER TABLE api_token ADD COLUMN made_by TEXT NOT NULL DEFAULT 'cli'; -- who made it
ALTER TABLE api_token ADD COLUMN revoked_by TEXT;                   -- who revoked it

-- Who is logged in to the console. Only a keyed hash of the cookie is kept.
CREATE TABLE session (
    id_hash    TEXT PRIMARY KEY,           -- keyed hash of the cookie's secret
    officer_id TEXT NOT NULL REFERENCES officer (id), -- whose
    stage      TEXT NOT NULL CHECK (stage IN ('password', 'full')), -- whether the second factor is still to come
    created_at BIGINT NOT NULL,            -- logged in
    seen_at    BIGINT NOT NULL,            -- last used
    expires_at BIGINT NOT NULL             -- not valid from then on, however busy
);
CREATE INDEX session_officer ON session (officer_id);
CREATE INDEX session_old ON session (expires_at);

-- Who did and saw what. Rows are only ever added.
CREATE TABLE audit (
    id     TEXT PRIMARY KEY,               -- aud_…; ascending
    at     BIGINT NOT NULL,                -- when
    who    TEXT NOT NULL,                  -- off_…, tok_…, cli
    role   TEXT NOT NULL,                  -- domain::officer::OfficerRole at that time
    area   TEXT NOT NULL,                  -- digits of the area code of who did it, at that time
    action TEXT NOT NULL,                  -- domain::audit::Action
    object TEXT NOT NULL,                  -- id of what it was done to: crd_…, msg_…, tkt_…; never a name or a number
    detail TEXT                            -- what changed, without citizens' data
);
CREATE INDEX audit_object ON audit (object, id);
CREATE INDEX audit_who ON audit (who, id);
CREATE INDEX audit_area ON audit (area, id);

-- Areas are compared by their digits: what a dot sorts before depends on a server's language.
CREATE INDEX person_area ON person (replace(area, '.', ''), id) WHERE area IS NOT NULL;
CREATE INDEX message_person ON message (person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX message_failed ON message (id) WHERE status = 'failed';

-- Words of names, hashed, to find people by name without reading every name.
CREATE TABLE person_name (
    word_hash TEXT NOT NULL,               -- keyed hash of one word of the name, in small letters
    area      TEXT NOT NULL,               -- digits of the area code of residence; '' when not known
    person_id TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE, -- whose
    PRIMARY KEY (word_hash, area, person_id)
);
CREATE INDEX person_name_person ON person_name (person_id);
