-- Most of a job never moves while it waits: the scheduler is told of it once, and then of what moves (store/world.ts).

-- AlterTable
ALTER TABLE "job" ADD COLUMN "standing_changed" BIGINT NOT NULL DEFAULT 0;

-- From here on: what schema.prisma cannot say.
-- A job that comes (back) into the world changes its state: it is told whole then, whatever was known of it before.
CREATE FUNCTION retraind_mark_standing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."standing_changed" := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;
CREATE TRIGGER "job_mark_standing_new" BEFORE INSERT ON "job" FOR EACH ROW EXECUTE FUNCTION retraind_mark_standing();
CREATE TRIGGER "job_mark_standing" BEFORE UPDATE ON "job" FOR EACH ROW
  WHEN ((OLD."state", OLD."source", OLD."version", OLD."suite", OLD."demand", OLD."control_at", OLD."created_at", OLD."requested_by", OLD."section", OLD."archive_priority", OLD."data_digests", OLD."release_id")
    IS DISTINCT FROM
    (NEW."state", NEW."source", NEW."version", NEW."suite", NEW."demand", NEW."control_at", NEW."created_at", NEW."requested_by", NEW."section", NEW."archive_priority", NEW."data_digests", NEW."release_id"))
  EXECUTE FUNCTION retraind_mark_standing();
