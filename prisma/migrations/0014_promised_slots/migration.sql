-- A slot that a run is asked to leave is promised to the run that it leaves for, until a time after which it is open to all.

-- AlterTable
ALTER TABLE "run" ADD COLUMN "promised_node_id" TEXT,
ADD COLUMN "promised_slot" INTEGER,
ADD COLUMN "promised_until" TIMESTAMPTZ(3);

-- From here on: what schema.prisma cannot say.
ALTER TABLE "run" ADD CONSTRAINT "run_promise_whole" CHECK (("promised_until" IS NULL) = ("promised_node_id" IS NULL) AND ("promised_until" IS NULL) = ("promised_slot" IS NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_promised_to_who_has_none" CHECK ("promised_until" IS NULL OR "state" <> 'leased');

-- A promise is news for the scheduler. A kept checkpoint is not: what it changes is how dear leaving would be, and a minute is soon enough.
DROP TRIGGER "run_mark" ON "run";
CREATE TRIGGER "run_mark" BEFORE UPDATE OF "state", "step", "lease_epoch", "not_before", "cancel_asked", "leave_code", "promised_until" ON "run" FOR EACH ROW
  WHEN (OLD."state" <> NEW."state" OR OLD."step" IS DISTINCT FROM NEW."step" OR OLD."lease_epoch" <> NEW."lease_epoch" OR OLD."not_before" IS DISTINCT FROM NEW."not_before" OR OLD."cancel_asked" <> NEW."cancel_asked" OR OLD."leave_code" IS DISTINCT FROM NEW."leave_code" OR OLD."promised_until" IS DISTINCT FROM NEW."promised_until")
  EXECUTE FUNCTION retraind_mark();
