-- A place that closes calls its sessions off, and its plans lay the same days out anew once it opens again; a place that
-- got free counts for who waited only where they heard of it.

ALTER TABLE service_session ADD COLUMN shut_at BIGINT; -- called off because its place closed
DROP INDEX service_session_plan;
CREATE UNIQUE INDEX service_session_plan ON service_session (plan_id, day) WHERE plan_id IS NOT NULL AND shut_at IS NULL;
ALTER TABLE appointment ADD COLUMN off_because TEXT; -- why the office called this one off and not its session, as citizens read it
ALTER TABLE appointment ADD COLUMN moved_at BIGINT; -- when they got a place after they had waited for one
