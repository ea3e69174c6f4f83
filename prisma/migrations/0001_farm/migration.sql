-- CreateTable
CREATE TABLE "suite" (
    "name" TEXT NOT NULL,
    "sources" TEXT NOT NULL,
    "intake_seconds" INTEGER NOT NULL,
    "index_digest" TEXT,
    "index_date" TIMESTAMPTZ(3),
    "index_read_at" TIMESTAMPTZ(3),
    "index_problem" TEXT,
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "suite_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "source_version" (
    "suite" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'current',
    "accelerators" JSONB NOT NULL DEFAULT '[]',
    "policy" TEXT NOT NULL DEFAULT 'on-demand',
    "target" TEXT NOT NULL DEFAULT 'bootstrap',
    "directory" TEXT NOT NULL DEFAULT '',
    "overlay_sha256" TEXT,
    "beacon" TEXT NOT NULL DEFAULT '',
    "found_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "superseded_at" TIMESTAMPTZ(3),

    CONSTRAINT "source_version_pkey" PRIMARY KEY ("suite","source","version")
);

-- CreateTable
CREATE TABLE "job" (
    "job_id" TEXT NOT NULL,
    "suite" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'needs-retrain',
    "reason" TEXT NOT NULL DEFAULT '',
    "priority" INTEGER NOT NULL DEFAULT 0,
    "requested_by" TEXT NOT NULL,
    "seed_override" TEXT,
    "job_seed" TEXT,
    "numerics" INTEGER NOT NULL DEFAULT 0,
    "demand" JSONB NOT NULL,
    "control" TEXT,
    "control_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "state_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "job_pkey" PRIMARY KEY ("job_id")
);

-- CreateTable
CREATE TABLE "run" (
    "run_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "seed_index" INTEGER NOT NULL,
    "rerun" INTEGER NOT NULL DEFAULT 0,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "lease_epoch" INTEGER NOT NULL DEFAULT 0,
    "not_before" TIMESTAMPTZ(3),
    "node_id" TEXT,
    "slot" INTEGER,
    "step" TEXT,
    "progress" DOUBLE PRECISION,
    "heartbeat_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "cancel_asked" BOOLEAN NOT NULL DEFAULT false,
    "blame" TEXT,
    "code" TEXT,
    "detail" TEXT,
    "hint" TEXT,
    "seed" INTEGER,
    "engine" TEXT,
    "taints" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "retraininfo_sha256" TEXT,
    "provenance_sha256" TEXT,
    "train_seconds" DOUBLE PRECISION,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "run_pkey" PRIMARY KEY ("run_id")
);

-- CreateTable
CREATE TABLE "lease" (
    "run_id" TEXT NOT NULL,
    "lease_epoch" INTEGER NOT NULL,
    "node_id" TEXT NOT NULL,
    "slot" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "outcome" TEXT,
    "blame" TEXT,
    "code" TEXT,
    "detail" TEXT,
    "log_sha256" TEXT,
    "metrics_sha256" TEXT,
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("run_id","lease_epoch")
);

-- CreateTable
CREATE TABLE "node" (
    "node_id" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "slots" INTEGER NOT NULL,
    "accelerators" JSONB NOT NULL DEFAULT '[]',
    "inventory" JSONB NOT NULL DEFAULT '{}',
    "approved_at" TIMESTAMPTZ(3),
    "drained_at" TIMESTAMPTZ(3),
    "drain_reason" TEXT,
    "faults_in_row" INTEGER NOT NULL DEFAULT 0,
    "seen_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "node_pkey" PRIMARY KEY ("node_id")
);

-- CreateTable
CREATE TABLE "run_output" (
    "run_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "evidence" JSONB NOT NULL,

    CONSTRAINT "run_output_pkey" PRIMARY KEY ("run_id","model")
);

-- CreateTable
CREATE TABLE "reference" (
    "run_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "evidence" JSONB NOT NULL,

    CONSTRAINT "reference_pkey" PRIMARY KEY ("run_id","model")
);

-- CreateTable
CREATE TABLE "verdict" (
    "verdict_id" SERIAL NOT NULL,
    "job_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "rung" TEXT NOT NULL,
    "k" INTEGER NOT NULL,
    "shipped_sha256" TEXT,
    "document" JSONB NOT NULL,
    "statement_sha256" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "verdict_pkey" PRIMARY KEY ("verdict_id")
);

-- CreateTable
CREATE TABLE "token" (
    "sha256" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "token_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "audit" (
    "audit_id" SERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "deed" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "facts" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_pkey" PRIMARY KEY ("audit_id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "actor" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "request_sha256" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("actor","key")
);

-- CreateIndex
CREATE INDEX "suite_changed_idx" ON "suite"("changed");

-- CreateIndex
CREATE INDEX "job_source_created_at_idx" ON "job"("source", "created_at");

-- CreateIndex
CREATE INDEX "job_created_at_job_id_idx" ON "job"("created_at", "job_id");

-- CreateIndex
CREATE INDEX "job_changed_idx" ON "job"("changed");

-- CreateIndex
CREATE INDEX "run_job_id_seed_index_idx" ON "run"("job_id", "seed_index");

-- CreateIndex
CREATE INDEX "run_changed_idx" ON "run"("changed");

-- CreateIndex
CREATE INDEX "lease_node_id_idx" ON "lease"("node_id");

-- CreateIndex
CREATE INDEX "lease_changed_idx" ON "lease"("changed");

-- CreateIndex
CREATE INDEX "node_changed_idx" ON "node"("changed");

-- CreateIndex
CREATE INDEX "run_output_sha256_idx" ON "run_output"("sha256");

-- CreateIndex
CREATE INDEX "reference_sha256_idx" ON "reference"("sha256");

-- CreateIndex
CREATE INDEX "verdict_job_id_model_idx" ON "verdict"("job_id", "model");

-- CreateIndex
CREATE INDEX "verdict_shipped_sha256_idx" ON "verdict"("shipped_sha256");

-- CreateIndex
CREATE INDEX "audit_subject_idx" ON "audit"("subject");

-- AddForeignKey
ALTER TABLE "source_version" ADD CONSTRAINT "source_version_suite_fkey" FOREIGN KEY ("suite") REFERENCES "suite"("name") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_suite_source_version_fkey" FOREIGN KEY ("suite", "source", "version") REFERENCES "source_version"("suite", "source", "version") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("job_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "node"("node_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "lease" ADD CONSTRAINT "lease_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("run_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "lease" ADD CONSTRAINT "lease_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "node"("node_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "run_output" ADD CONSTRAINT "run_output_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("run_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "reference" ADD CONSTRAINT "reference_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("run_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "verdict" ADD CONSTRAINT "verdict_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("job_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "idempotency_key" ADD CONSTRAINT "idempotency_key_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("job_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- From here on: what schema.prisma cannot say.

-- The state lists of packages/shared/src/job/states.ts; prisma/migrations.test.ts compares them.
ALTER TABLE "source_version" ADD CONSTRAINT "source_version_state_known" CHECK ("state" IN ('current', 'superseded'));
ALTER TABLE "job" ADD CONSTRAINT "job_state_known" CHECK ("state" IN ('needs-retrain', 'retraining', 'judged', 'attempted', 'failed', 'dep-wait', 'data-wait', 'budget-wait', 'held', 'not-for-us', 'auto-not-for-us', 'superseded', 'cancelled'));
ALTER TABLE "run" ADD CONSTRAINT "run_state_known" CHECK ("state" IN ('waiting', 'leased', 'reported', 'broken', 'cancelled'));
ALTER TABLE "run" ADD CONSTRAINT "run_step_known" CHECK ("step" IN ('fetch', 'unpack', 'train', 'evaluate', 'pack', 'report'));
ALTER TABLE "run" ADD CONSTRAINT "run_blame_known" CHECK ("blame" IN ('recipe', 'data', 'node', 'farm', 'budget', 'cancelled'));
ALTER TABLE "lease" ADD CONSTRAINT "lease_outcome_known" CHECK ("outcome" IN ('reported', 'broken', 'given-back', 'lost', 'cancelled'));
ALTER TABLE "lease" ADD CONSTRAINT "lease_blame_known" CHECK ("blame" IN ('recipe', 'data', 'node', 'farm', 'budget', 'cancelled'));
ALTER TABLE "verdict" ADD CONSTRAINT "verdict_rung_known" CHECK ("rung" IN ('bit-identical', 'same-run', 'statistically-equivalent', 'different', 'inconclusive', 'not-verifiable'));
ALTER TABLE "token" ADD CONSTRAINT "token_role_known" CHECK ("role" IN ('developer', 'porter', 'admin'));

-- Forms.
ALTER TABLE "suite" ADD CONSTRAINT "suite_name_form" CHECK ("name" ~ '^[a-z0-9][a-z0-9.+-]{0,62}$');
ALTER TABLE "suite" ADD CONSTRAINT "suite_intake_positive" CHECK ("intake_seconds" > 0);
ALTER TABLE "source_version" ADD CONSTRAINT "source_version_overlay_form" CHECK ("overlay_sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "job" ADD CONSTRAINT "job_id_form" CHECK ("job_id" ~ '^[0-9a-z]{12}$');
ALTER TABLE "job" ADD CONSTRAINT "job_numerics_natural" CHECK ("numerics" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_id_form" CHECK ("run_id" ~ '^[0-9a-z]{12}$');
ALTER TABLE "run" ADD CONSTRAINT "run_seed_index_positive" CHECK ("seed_index" > 0);
ALTER TABLE "run" ADD CONSTRAINT "run_rerun_natural" CHECK ("rerun" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_lease_epoch_natural" CHECK ("lease_epoch" >= 0);
ALTER TABLE "run" ADD CONSTRAINT "run_progress_fraction" CHECK ("progress" BETWEEN 0 AND 1);
ALTER TABLE "run" ADD CONSTRAINT "run_seed_form" CHECK ("seed" > 0);
ALTER TABLE "lease" ADD CONSTRAINT "lease_epoch_positive" CHECK ("lease_epoch" > 0);
ALTER TABLE "node" ADD CONSTRAINT "node_id_form" CHECK ("node_id" ~ '^[0-9a-f]{16}$');
ALTER TABLE "node" ADD CONSTRAINT "node_slots_some" CHECK ("slots" BETWEEN 1 AND 1024);
ALTER TABLE "node" ADD CONSTRAINT "node_faults_natural" CHECK ("faults_in_row" >= 0);
ALTER TABLE "run_output" ADD CONSTRAINT "run_output_sha256_form" CHECK ("sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "reference" ADD CONSTRAINT "reference_sha256_form" CHECK ("sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "verdict" ADD CONSTRAINT "verdict_statement_form" CHECK ("statement_sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "verdict" ADD CONSTRAINT "verdict_k_natural" CHECK ("k" >= 0);
ALTER TABLE "token" ADD CONSTRAINT "token_sha256_form" CHECK ("sha256" ~ '^[0-9a-f]{64}$');

-- Impossible states.
ALTER TABLE "source_version" ADD CONSTRAINT "source_version_superseded_iff_dated" CHECK (("state" = 'superseded') = ("superseded_at" IS NOT NULL));
ALTER TABLE "job" ADD CONSTRAINT "job_control_iff_dated" CHECK (("control" IS NULL) = ("control_at" IS NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_leased_iff_held" CHECK (("state" = 'leased') = ("node_id" IS NOT NULL AND "slot" IS NOT NULL AND "expires_at" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_free_without_holder" CHECK ("state" = 'leased' OR ("node_id" IS NULL AND "slot" IS NULL AND "expires_at" IS NULL AND "heartbeat_at" IS NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_reported_iff_result" CHECK (("state" = 'reported') = ("seed" IS NOT NULL AND "engine" IS NOT NULL AND "retraininfo_sha256" IS NOT NULL AND "provenance_sha256" IS NOT NULL AND "train_seconds" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_broken_has_blame" CHECK ("state" <> 'broken' OR ("blame" IS NOT NULL AND "code" IS NOT NULL AND "detail" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_ended_iff_final" CHECK (("state" IN ('reported', 'broken', 'cancelled')) = ("ended_at" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_leased_has_epoch" CHECK ("state" NOT IN ('leased', 'reported') OR "lease_epoch" > 0);
ALTER TABLE "lease" ADD CONSTRAINT "lease_ended_iff_outcome" CHECK (("ended_at" IS NULL) = ("outcome" IS NULL));
ALTER TABLE "node" ADD CONSTRAINT "node_drained_with_reason" CHECK (("drained_at" IS NULL) = ("drain_reason" IS NULL));

-- One version of a source is current in a suite; one open job a version and seed; one live run a seed of a job.
CREATE UNIQUE INDEX "source_version_one_current" ON "source_version"("suite", "source") WHERE "state" = 'current';
CREATE UNIQUE INDEX "job_one_open" ON "job"("suite", "source", "version", COALESCE("seed_override", ''), "numerics") WHERE "state" IN ('needs-retrain', 'retraining', 'dep-wait', 'data-wait', 'budget-wait', 'held');
CREATE UNIQUE INDEX "run_one_live_per_seed" ON "run"("job_id", "seed_index", "rerun") WHERE "state" IN ('waiting', 'leased', 'reported');
-- One open lease a run and a slot, and at most one recorded result a run, whatever the programs do.
CREATE UNIQUE INDEX "lease_one_open_per_run" ON "lease"("run_id") WHERE "outcome" IS NULL;
CREATE UNIQUE INDEX "lease_one_open_per_slot" ON "lease"("node_id", "slot") WHERE "outcome" IS NULL;
CREATE UNIQUE INDEX "lease_one_result_per_run" ON "lease"("run_id") WHERE "outcome" = 'reported';

-- A result, once recorded, stays as it was.
CREATE FUNCTION retraind_keep_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% % is final', TG_TABLE_NAME, OLD."run_id";
END $$;
CREATE TRIGGER "run_reported_is_final" BEFORE UPDATE ON "run" FOR EACH ROW
  WHEN (OLD."state" IN ('reported', 'broken', 'cancelled')) EXECUTE FUNCTION retraind_keep_final();
CREATE TRIGGER "lease_ended_is_final" BEFORE UPDATE ON "lease" FOR EACH ROW
  WHEN (OLD."outcome" IS NOT NULL) EXECUTE FUNCTION retraind_keep_final();

-- Rows are not deleted, and the audit, verdicts and evidence are not rewritten.
CREATE FUNCTION retraind_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: rows are kept', TG_OP, TG_TABLE_NAME;
END $$;
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['suite', 'source_version', 'job', 'run', 'lease', 'node', 'run_output', 'reference', 'verdict', 'token', 'audit', 'idempotency_key'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION retraind_refuse()', name || '_kept', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['run_output', 'reference', 'verdict', 'audit', 'idempotency_key'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION retraind_refuse()', name || '_unaltered', name);
  END LOOP;
END $$;

-- The cursor of the scheduler: the transaction that touched the row. A sequence would not do: a number drawn early and
-- committed late is never seen by a reader who has passed it. A reader keeps the xmin of its snapshot instead: every
-- transaction below it had ended, so all it wrote was seen (store/world.ts).
CREATE FUNCTION retraind_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."changed" := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;

-- NOTIFY retraind, 'job:<id>'. The payload names the row only; listeners read it themselves.
CREATE FUNCTION retraind_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('retraind', TG_ARGV[0] || ':' || (to_jsonb(NEW) ->> TG_ARGV[1]));
  RETURN NULL;
END $$;

CREATE TRIGGER "suite_mark" BEFORE INSERT OR UPDATE ON "suite" FOR EACH ROW EXECUTE FUNCTION retraind_mark();
CREATE TRIGGER "job_mark" BEFORE INSERT OR UPDATE ON "job" FOR EACH ROW EXECUTE FUNCTION retraind_mark();
CREATE TRIGGER "lease_mark" BEFORE INSERT OR UPDATE ON "lease" FOR EACH ROW EXECUTE FUNCTION retraind_mark();
CREATE TRIGGER "verdict_mark" BEFORE INSERT OR UPDATE ON "verdict" FOR EACH ROW EXECUTE FUNCTION retraind_mark();
-- Heartbeats and signs of life touch only clocks and progress: no mark, no NOTIFY, else every node would wake the
-- scheduler every five seconds.
CREATE TRIGGER "run_mark_new" BEFORE INSERT ON "run" FOR EACH ROW EXECUTE FUNCTION retraind_mark();
CREATE TRIGGER "run_mark" BEFORE UPDATE OF "state", "step", "lease_epoch", "not_before", "cancel_asked" ON "run" FOR EACH ROW
  WHEN (OLD."state" <> NEW."state" OR OLD."step" IS DISTINCT FROM NEW."step" OR OLD."lease_epoch" <> NEW."lease_epoch" OR OLD."not_before" IS DISTINCT FROM NEW."not_before" OR OLD."cancel_asked" <> NEW."cancel_asked")
  EXECUTE FUNCTION retraind_mark();
CREATE TRIGGER "node_mark" BEFORE INSERT OR UPDATE ON "node" FOR EACH ROW EXECUTE FUNCTION retraind_mark();

CREATE TRIGGER "suite_notify" AFTER INSERT OR UPDATE OF "sources", "index_digest" ON "suite" FOR EACH ROW EXECUTE FUNCTION retraind_notify('suite', 'name');
CREATE TRIGGER "job_notify" AFTER INSERT OR UPDATE ON "job" FOR EACH ROW EXECUTE FUNCTION retraind_notify('job', 'job_id');
CREATE TRIGGER "run_notify_new" AFTER INSERT ON "run" FOR EACH ROW EXECUTE FUNCTION retraind_notify('run', 'run_id');
CREATE TRIGGER "run_notify" AFTER UPDATE ON "run" FOR EACH ROW
  WHEN (OLD."changed" <> NEW."changed") EXECUTE FUNCTION retraind_notify('run', 'run_id');
CREATE TRIGGER "lease_notify" AFTER INSERT OR UPDATE ON "lease" FOR EACH ROW EXECUTE FUNCTION retraind_notify('run', 'run_id');
CREATE TRIGGER "node_notify_new" AFTER INSERT ON "node" FOR EACH ROW EXECUTE FUNCTION retraind_notify('node', 'node_id');
CREATE TRIGGER "node_notify" AFTER UPDATE OF "slots", "accelerators", "approved_at", "drained_at" ON "node" FOR EACH ROW EXECUTE FUNCTION retraind_notify('node', 'node_id');
CREATE TRIGGER "verdict_notify" AFTER INSERT ON "verdict" FOR EACH ROW EXECUTE FUNCTION retraind_notify('job', 'job_id');
