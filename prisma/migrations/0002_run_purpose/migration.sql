-- A run has a purpose (packages/shared/src/job/run-place.ts): a retrain, a rerun of a known seed, or a dependence run on shortened
-- data. The arithmetic (RETRAIN_NUMERICS) is the run's own, not the job's.

-- DropIndex
DROP INDEX "job_one_open";
DROP INDEX "run_one_live_per_seed";

-- AlterTable
ALTER TABLE "job" DROP COLUMN "numerics";
ALTER TABLE "run" RENAME COLUMN "rerun" TO "repeat";
ALTER TABLE "run" RENAME CONSTRAINT "run_rerun_natural" TO "run_repeat_natural";
ALTER TABLE "run" ADD COLUMN "declared_seed" INTEGER,
ADD COLUMN "numerics" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "purpose" TEXT NOT NULL DEFAULT 'retrain',
ADD COLUMN "withheld" JSONB;

-- Reruns so far were told by their number alone; what is final is touched this once.
ALTER TABLE "run" DISABLE TRIGGER "run_reported_is_final";
UPDATE "run" SET "purpose" = 'rerun', "repeat" = "repeat" - 1 WHERE "repeat" > 0;
ALTER TABLE "run" ENABLE TRIGGER "run_reported_is_final";

-- From here on: what schema.prisma cannot say.
ALTER TABLE "run" DROP CONSTRAINT "run_seed_index_positive";
ALTER TABLE "run" DROP CONSTRAINT "run_seed_form";
ALTER TABLE "run" ADD CONSTRAINT "run_purpose_known" CHECK ("purpose" IN ('retrain', 'rerun', 'dependence'));
ALTER TABLE "run" ADD CONSTRAINT "run_seed_index_natural" CHECK ("seed_index" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_seed_natural" CHECK ("seed" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_declared_seed_natural" CHECK ("declared_seed" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_numerics_natural" CHECK ("numerics" >= 0);
-- A seed is one of the job's or a declared one; a retrain has a seed of its own and the recipe's own arithmetic.
ALTER TABLE "run" ADD CONSTRAINT "run_declared_iff_no_index" CHECK (("seed_index" = 0) = ("declared_seed" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_retrain_is_fresh" CHECK ("purpose" <> 'retrain' OR ("seed_index" > 0 AND "numerics" = 0 AND "repeat" = 0));
ALTER TABLE "run" ADD CONSTRAINT "run_seed_as_declared" CHECK ("seed" IS NULL OR "declared_seed" IS NULL OR "seed" = "declared_seed");
ALTER TABLE "run" ADD CONSTRAINT "run_withheld_of_dependence" CHECK ("withheld" IS NULL OR ("purpose" = 'dependence' AND "state" = 'reported'));
ALTER TABLE "run" ADD CONSTRAINT "run_dependence_says_withheld" CHECK ("purpose" <> 'dependence' OR "state" <> 'reported' OR "withheld" IS NOT NULL);

CREATE UNIQUE INDEX "job_one_open" ON "job"("suite", "source", "version", COALESCE("seed_override", '')) WHERE "state" IN ('needs-retrain', 'retraining', 'dep-wait', 'data-wait', 'budget-wait', 'held');
-- One live run a place.
CREATE UNIQUE INDEX "run_one_live_per_place" ON "run"("job_id", "purpose", "seed_index", COALESCE("declared_seed", -1), "numerics", "repeat") WHERE "state" IN ('waiting', 'leased', 'reported');
