-- Checks of nodes: a run whose seed another node has trained already, made for the farm's own sake. It is a run of the job like any
-- other, but no verdict rests on it, it may go on when the job is judged, and the farm pays for it.

-- CreateTable
CREATE TABLE "node_check" (
    "run_id" TEXT NOT NULL,
    "of_run_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "avoids" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "outcome" TEXT,
    "contradicts" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "node_check_pkey" PRIMARY KEY ("run_id")
);

-- CreateIndex
CREATE INDEX "node_check_of_run_id_idx" ON "node_check"("of_run_id");

-- AddForeignKey
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("run_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_of_run_id_fkey" FOREIGN KEY ("of_run_id") REFERENCES "run"("run_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- From here on: what schema.prisma cannot say.
ALTER TABLE "run" DROP CONSTRAINT "run_purpose_known";
ALTER TABLE "run" ADD CONSTRAINT "run_purpose_known" CHECK ("purpose" IN ('retrain', 'rerun', 'dependence', 'check'));
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_kind_known" CHECK ("kind" IN ('spot', 'suspicion', 'tie-break'));
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_outcome_known" CHECK ("outcome" IN ('agrees', 'differs', 'not-made'));
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_of_another" CHECK ("run_id" <> "of_run_id");
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_avoids_somebody" CHECK (cardinality("avoids") > 0);
ALTER TABLE "node_check" ADD CONSTRAINT "node_check_settled_iff_outcome" CHECK (("settled_at" IS NULL) = ("outcome" IS NULL));
-- A result is checked once; a tie is broken beside that.
CREATE UNIQUE INDEX "node_check_one_of_a_run" ON "node_check"("of_run_id") WHERE "kind" <> 'tie-break';
CREATE UNIQUE INDEX "node_check_one_tie_break" ON "node_check"("of_run_id") WHERE "kind" = 'tie-break';
-- What is asked at every tick: checks that are open, and jobs that have some.
CREATE INDEX "node_check_open" ON "node_check"("run_id") WHERE "outcome" IS NULL;
CREATE INDEX "node_check_contradicting" ON "node_check"("settled_at") WHERE cardinality("contradicts") > 0;
CREATE INDEX "run_open_check" ON "run"("job_id") WHERE "purpose" = 'check' AND "state" IN ('waiting', 'leased');
CREATE TRIGGER "node_check_kept" BEFORE DELETE ON "node_check" FOR EACH STATEMENT EXECUTE FUNCTION retraind_refuse();

-- Who pays for a run: suite and requester of its job, or the farm.
CREATE FUNCTION retraind_payers(suite text, requested_by text, purpose text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN purpose = 'check' THEN ARRAY['requester:farm'] ELSE ARRAY['suite:' || suite, 'requester:' || requested_by] END
$$;

CREATE OR REPLACE FUNCTION retraind_bill() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  hours double precision;
  wish record;
  payers text[];
BEGIN
  SELECT job.suite, job.requested_by, run.purpose, run.heartbeat_at INTO wish FROM run JOIN job USING (job_id) WHERE run.run_id = NEW.run_id;
  hours := GREATEST(0, EXTRACT(EPOCH FROM
    CASE NEW.outcome WHEN 'lost' THEN COALESCE(wish.heartbeat_at, NEW.started_at) ELSE NEW.ended_at END - NEW.started_at)) / 3600;
  NEW.used_hours := hours * GREATEST(NEW.gpus, 1);
  NEW.energy_source := COALESCE(NEW.energy_source, 'estimated');
  NEW.watt_hours := COALESCE(NEW.watt_hours, hours * NEW.watts);
  payers := retraind_payers(wish.suite, wish.requested_by, wish.purpose);
  -- In one order, so that two leases that end at once do not wait for each other.
  PERFORM FROM budget WHERE account = ANY(payers) ORDER BY account FOR UPDATE;
  UPDATE budget SET
    spent_gpu_hours = spent_gpu_hours + CASE WHEN NEW.gpus > 0 THEN NEW.used_hours ELSE 0 END,
    spent_cpu_hours = spent_cpu_hours + CASE WHEN NEW.gpus > 0 THEN 0 ELSE NEW.used_hours END
  WHERE account = ANY(payers);
  RETURN NEW;
END $$;
