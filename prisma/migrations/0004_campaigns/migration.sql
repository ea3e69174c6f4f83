-- Campaigns: releases, budgets and bills, pilots, the ledger of the infeasible, and the scopes of people's tokens.

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "approval_asked_at" TIMESTAMPTZ(3),
ADD COLUMN     "approved_at" TIMESTAMPTZ(3),
ADD COLUMN     "approved_by" TEXT,
ADD COLUMN     "ledger_id" INTEGER,
ADD COLUMN     "release_id" TEXT;

-- AlterTable
ALTER TABLE "lease" ADD COLUMN     "device" TEXT,
ADD COLUMN     "energy_source" TEXT,
ADD COLUMN     "gpus" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "reserved_hours" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "used_hours" DOUBLE PRECISION,
ADD COLUMN     "watt_hours" DOUBLE PRECISION,
ADD COLUMN     "watts" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "token" ADD COLUMN     "sources" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "suites" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "release" (
    "release_id" TEXT NOT NULL,
    "suite" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'running',
    "reason" TEXT NOT NULL DEFAULT '',
    "started_by" TEXT NOT NULL,
    "plan" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "state_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "release_pkey" PRIMARY KEY ("release_id")
);

-- CreateTable
CREATE TABLE "budget" (
    "account" TEXT NOT NULL,
    "gpu_hours" DOUBLE PRECISION,
    "cpu_hours" DOUBLE PRECISION,
    "approval_gpu_hours" DOUBLE PRECISION,
    "approval_cpu_hours" DOUBLE PRECISION,
    "spent_gpu_hours" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "spent_cpu_hours" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "set_by" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "budget_pkey" PRIMARY KEY ("account")
);

-- CreateTable
CREATE TABLE "pilot" (
    "pilot_id" SERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "seconds" DOUBLE PRECISION[],
    "gpus" INTEGER NOT NULL DEFAULT 0,
    "device" TEXT NOT NULL,
    "recorded_by" TEXT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pilot_pkey" PRIMARY KEY ("pilot_id")
);

-- CreateTable
CREATE TABLE "ledger" (
    "ledger_id" SERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "model" TEXT,
    "reason" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "evidence" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "estimate" JSONB,
    "reviewer" TEXT NOT NULL,
    "reviewed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),
    "removed_by" TEXT,
    "removed_reason" TEXT,
    "seed_key" TEXT,

    CONSTRAINT "ledger_pkey" PRIMARY KEY ("ledger_id")
);

-- CreateIndex
CREATE INDEX "pilot_source_version_idx" ON "pilot"("source", "version");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_seed_key_key" ON "ledger"("seed_key");

-- CreateIndex
CREATE INDEX "ledger_source_idx" ON "ledger"("source");

-- CreateIndex
CREATE INDEX "job_release_id_idx" ON "job"("release_id");

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_release_id_fkey" FOREIGN KEY ("release_id") REFERENCES "release"("release_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_ledger_id_fkey" FOREIGN KEY ("ledger_id") REFERENCES "ledger"("ledger_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "release" ADD CONSTRAINT "release_suite_fkey" FOREIGN KEY ("suite") REFERENCES "suite"("name") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- From here on: what schema.prisma cannot say.

-- A developer becomes a maintainer of no package: an admin names them. A porter was bound to no suite, and stays so.
ALTER TABLE "token" DROP CONSTRAINT "token_role_known";
UPDATE "token" SET "role" = 'maintainer' WHERE "role" = 'developer';
UPDATE "token" SET "suites" = ARRAY['*'] WHERE "role" = 'porter';
ALTER TABLE "token" ADD CONSTRAINT "token_role_known" CHECK ("role" IN ('porter', 'maintainer', 'admin'));
-- An actor is known by name: two people must not share one.
CREATE INDEX "token_name_idx" ON "token"("name") WHERE "revoked_at" IS NULL;

ALTER TABLE "release" ADD CONSTRAINT "release_state_known" CHECK ("state" IN ('running', 'paused', 'ended'));
ALTER TABLE "release" ADD CONSTRAINT "release_id_form" CHECK ("release_id" ~ '^[0-9a-z]{12}$');
CREATE UNIQUE INDEX "release_one_open" ON "release"("suite") WHERE "state" <> 'ended';
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_reason_known" CHECK ("reason" IN ('no-data', 'data-deleted', 'data-licence', 'no-parameters', 'cost'));
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_expires_later" CHECK ("expires_at" > "reviewed_at");
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_removed_by_somebody" CHECK (("removed_at" IS NULL) = ("removed_by" IS NULL) AND ("removed_at" IS NULL) = ("removed_reason" IS NULL));
ALTER TABLE "job" ADD CONSTRAINT "job_approved_by_somebody" CHECK (("approved_at" IS NULL) = ("approved_by" IS NULL));
ALTER TABLE "lease" ADD CONSTRAINT "lease_energy_known" CHECK ("energy_source" IN ('counter', 'estimated'));
ALTER TABLE "lease" ADD CONSTRAINT "lease_energy_iff_source" CHECK (("watt_hours" IS NULL) = ("energy_source" IS NULL));
ALTER TABLE "lease" ADD CONSTRAINT "lease_bill_natural" CHECK ("gpus" >= 0 AND "reserved_hours" >= 0 AND "watts" >= 0 AND "used_hours" >= 0 AND "watt_hours" >= 0);
ALTER TABLE "budget" ADD CONSTRAINT "budget_account_form" CHECK ("account" ~ '^(suite|requester):.{1,128}$');
ALTER TABLE "budget" ADD CONSTRAINT "budget_natural" CHECK ("gpu_hours" >= 0 AND "cpu_hours" >= 0 AND "approval_gpu_hours" >= 0 AND "approval_cpu_hours" >= 0 AND "spent_gpu_hours" >= 0 AND "spent_cpu_hours" >= 0);
ALTER TABLE "pilot" ADD CONSTRAINT "pilot_measured" CHECK (cardinality("seconds") > 0 AND 0 < ALL ("seconds") AND "gpus" >= 0);

-- A lease is billed once, at its end: what has ended is final, so no other epoch and no second report can bill its time again.
-- Time counts to the end; of a lease that was lost, to the last sign of life (none: nothing).
CREATE FUNCTION retraind_bill() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  hours double precision;
  wish record;
BEGIN
  SELECT job.suite, job.requested_by, run.heartbeat_at INTO wish FROM run JOIN job USING (job_id) WHERE run.run_id = NEW.run_id;
  hours := GREATEST(0, EXTRACT(EPOCH FROM
    CASE NEW.outcome WHEN 'lost' THEN COALESCE(wish.heartbeat_at, NEW.started_at) ELSE NEW.ended_at END - NEW.started_at)) / 3600;
  NEW.used_hours := hours * GREATEST(NEW.gpus, 1);
  NEW.energy_source := COALESCE(NEW.energy_source, 'estimated');
  NEW.watt_hours := COALESCE(NEW.watt_hours, hours * NEW.watts);
  -- In one order, so that two leases that end at once do not wait for each other.
  PERFORM FROM budget WHERE account IN ('suite:' || wish.suite, 'requester:' || wish.requested_by) ORDER BY account FOR UPDATE;
  UPDATE budget SET
    spent_gpu_hours = spent_gpu_hours + CASE WHEN NEW.gpus > 0 THEN NEW.used_hours ELSE 0 END,
    spent_cpu_hours = spent_cpu_hours + CASE WHEN NEW.gpus > 0 THEN 0 ELSE NEW.used_hours END
  WHERE account IN ('suite:' || wish.suite, 'requester:' || wish.requested_by);
  RETURN NEW;
END $$;
CREATE TRIGGER "lease_bill" BEFORE UPDATE ON "lease" FOR EACH ROW
  WHEN (OLD."outcome" IS NULL AND NEW."outcome" IS NOT NULL) EXECUTE FUNCTION retraind_bill();

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['release', 'budget', 'pilot', 'ledger'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION retraind_refuse()', name || '_kept', name);
  END LOOP;
END $$;
CREATE TRIGGER "pilot_unaltered" BEFORE UPDATE ON "pilot" FOR EACH STATEMENT EXECUTE FUNCTION retraind_refuse();
-- A budget that was raised, a release that goes on: the scheduler looks at once.
CREATE TRIGGER "budget_notify" AFTER INSERT OR UPDATE OF "gpu_hours", "cpu_hours", "since" ON "budget" FOR EACH ROW EXECUTE FUNCTION retraind_notify('budget', 'account');
CREATE TRIGGER "release_notify" AFTER INSERT OR UPDATE ON "release" FOR EACH ROW EXECUTE FUNCTION retraind_notify('release', 'release_id');
