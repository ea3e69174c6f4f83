-- A run may be kept from nodes that harmed it, until an admin has looked at them (store/world.ts). The run's own row does not change
-- then: the scheduler would see it only when it reads everything again.

-- From here on: what schema.prisma cannot say.
CREATE FUNCTION retraind_mark_excluded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "run" SET "changed" = pg_current_xact_id()::text::bigint
  WHERE "state" = 'waiting' AND "run_id" IN (SELECT "run_id" FROM "lease" WHERE "node_id" = NEW."node_id" AND "blame" = 'node');
  RETURN NULL;
END $$;
CREATE TRIGGER "node_mark_excluded" AFTER UPDATE OF "state_at" ON "node" FOR EACH ROW
  WHEN (OLD."state_at" <> NEW."state_at") EXECUTE FUNCTION retraind_mark_excluded();
