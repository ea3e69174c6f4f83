-- A run that leaves its slot before its end (preempted, given back, its worker stopped) keeps its checkpoint; a lease says what
-- it began with and how it ended; a job whose device was too small asks for a larger one.

-- AlterTable
ALTER TABLE "job" ADD COLUMN "least_device_memory_bytes" DOUBLE PRECISION;
ALTER TABLE "run" ADD COLUMN "checkpoint_at" TIMESTAMPTZ(3),
ADD COLUMN "checkpoint_epoch" INTEGER,
ADD COLUMN "checkpoint_sha256" TEXT,
ADD COLUMN "leave_code" TEXT,
ADD COLUMN "leave_reason" TEXT;
ALTER TABLE "lease" ADD COLUMN "failure_sha256" TEXT,
ADD COLUMN "hint" TEXT,
ADD COLUMN "resumed_from" TEXT,
ADD COLUMN "step" TEXT;

-- CreateIndex
CREATE INDEX "run_checkpoint_sha256_idx" ON "run"("checkpoint_sha256");

-- CreateIndex
CREATE INDEX "lease_resumed_from_idx" ON "lease"("resumed_from");

-- From here on: what schema.prisma cannot say.
ALTER TABLE "job" ADD CONSTRAINT "job_least_device_memory_positive" CHECK ("least_device_memory_bytes" > 0);
ALTER TABLE "run" ADD CONSTRAINT "run_checkpoint_form" CHECK ("checkpoint_sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "run" ADD CONSTRAINT "run_checkpoint_whole" CHECK (("checkpoint_sha256" IS NULL) = ("checkpoint_at" IS NULL) AND ("checkpoint_sha256" IS NULL) = ("checkpoint_epoch" IS NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_leave_code_known" CHECK ("leave_code" IN ('preempted', 'given-back', 'node-stopped'));
ALTER TABLE "run" ADD CONSTRAINT "run_leave_has_reason" CHECK (("leave_code" IS NULL) = ("leave_reason" IS NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_leaves_what_it_has" CHECK ("leave_code" IS NULL OR "state" = 'leased');
ALTER TABLE "lease" ADD CONSTRAINT "lease_failure_form" CHECK ("failure_sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "lease" ADD CONSTRAINT "lease_resumed_from_form" CHECK ("resumed_from" ~ '^[0-9a-f]{64}$');
ALTER TABLE "lease" ADD CONSTRAINT "lease_step_known" CHECK ("step" IN ('fetch', 'unpack', 'train', 'evaluate', 'pack', 'report'));

-- That a run was asked to leave is news for the scheduler.
DROP TRIGGER "run_mark" ON "run";
CREATE TRIGGER "run_mark" BEFORE UPDATE OF "state", "step", "lease_epoch", "not_before", "cancel_asked", "leave_code" ON "run" FOR EACH ROW
  WHEN (OLD."state" <> NEW."state" OR OLD."step" IS DISTINCT FROM NEW."step" OR OLD."lease_epoch" <> NEW."lease_epoch" OR OLD."not_before" IS DISTINCT FROM NEW."not_before" OR OLD."cancel_asked" <> NEW."cancel_asked" OR OLD."leave_code" IS DISTINCT FROM NEW."leave_code")
  EXECUTE FUNCTION retraind_mark();
