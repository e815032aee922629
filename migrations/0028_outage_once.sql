-- The same outage runs once at a time in an area: two officers who declared it in the same moment made two. Of those
-- that run, the oldest stays; who heard of another is told of its end by that one.
UPDATE outage SET lifted_at = begun_at, lifted_by = begun_by, work = NULL
 WHERE lifted_at IS NULL
   AND EXISTS (SELECT 1 FROM outage o WHERE o.kind = outage.kind AND o.area = outage.area
               AND o.lifted_at IS NULL AND o.id < outage.id);
CREATE UNIQUE INDEX outage_once ON outage (kind, area) WHERE lifted_at IS NULL;
