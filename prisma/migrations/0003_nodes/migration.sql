-- A node has a state with who, when and why (packages/shared/src/node/states.ts), an approved inventory beside the one that it
-- reports, tags with their provenance, and vitals. A result of a quarantined node may become void.

-- DropIndex and triggers that name columns which go
DROP TRIGGER "node_notify" ON "node";
ALTER TABLE "node" DROP CONSTRAINT "node_drained_with_reason";

-- AlterTable
ALTER TABLE "node" ADD COLUMN "state" TEXT NOT NULL DEFAULT 'pending',
ADD COLUMN "state_reason" TEXT NOT NULL DEFAULT '',
ADD COLUMN "state_by" TEXT NOT NULL DEFAULT '',
ADD COLUMN "state_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN "approved_inventory" JSONB,
ADD COLUMN "tags" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN "vitals" JSONB,
ADD COLUMN "program" TEXT,
ADD COLUMN "protocol" INTEGER,
ADD COLUMN "clock_offset_seconds" DOUBLE PRECISION,
ADD COLUMN "clock_refused_at" TIMESTAMPTZ(3),
ADD COLUMN "queue_sha256" TEXT;

UPDATE "node" SET
  "state" = CASE WHEN "approved_at" IS NULL THEN 'pending' WHEN "drained_at" IS NULL THEN 'approved' ELSE 'drained' END,
  "state_reason" = COALESCE("drain_reason", ''),
  "state_by" = 'farm',
  "state_at" = COALESCE("drained_at", "approved_at", "created_at");

ALTER TABLE "node" DROP COLUMN "approved_at",
DROP COLUMN "drained_at",
DROP COLUMN "drain_reason";

-- From here on: what schema.prisma cannot say.
ALTER TABLE "node" ADD CONSTRAINT "node_state_known" CHECK ("state" IN ('pending', 'approved', 'drained', 'quarantined', 'retired'));
ALTER TABLE "node" ADD CONSTRAINT "node_stopped_with_reason" CHECK ("state" NOT IN ('drained', 'quarantined', 'retired') OR "state_reason" <> '');
ALTER TABLE "node" ADD CONSTRAINT "node_tags_list" CHECK (jsonb_typeof("tags") = 'array');
ALTER TABLE "node" ADD CONSTRAINT "node_protocol_natural" CHECK ("protocol" >= 0);
ALTER TABLE "node" ADD CONSTRAINT "node_queue_sha256_form" CHECK ("queue_sha256" ~ '^[0-9a-f]{64}$');
CREATE TRIGGER "node_notify" AFTER UPDATE OF "state", "slots", "approved_inventory", "tags" ON "node" FOR EACH ROW EXECUTE FUNCTION retraind_notify('node', 'node_id');

-- A retired node stays so: its key is revoked for good.
CREATE FUNCTION retraind_keep_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'node % is retired', OLD."node_id";
END $$;
CREATE TRIGGER "node_retired_is_final" BEFORE UPDATE OF "state" ON "node" FOR EACH ROW
  WHEN (OLD."state" = 'retired' AND NEW."state" <> 'retired') EXECUTE FUNCTION retraind_keep_retired();

-- A void run keeps what it reported; nothing but its state and the reason may change, and its place is free for another run.
ALTER TABLE "run" DROP CONSTRAINT "run_state_known";
ALTER TABLE "run" DROP CONSTRAINT "run_reported_iff_result";
ALTER TABLE "run" DROP CONSTRAINT "run_broken_has_blame";
ALTER TABLE "run" DROP CONSTRAINT "run_ended_iff_final";
ALTER TABLE "run" DROP CONSTRAINT "run_leased_has_epoch";
ALTER TABLE "run" DROP CONSTRAINT "run_withheld_of_dependence";
ALTER TABLE "run" ADD CONSTRAINT "run_state_known" CHECK ("state" IN ('waiting', 'leased', 'reported', 'broken', 'cancelled', 'void'));
ALTER TABLE "run" ADD CONSTRAINT "run_reported_iff_result" CHECK (("state" IN ('reported', 'void')) = ("seed" IS NOT NULL AND "engine" IS NOT NULL AND "retraininfo_sha256" IS NOT NULL AND "provenance_sha256" IS NOT NULL AND "train_seconds" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_broken_has_blame" CHECK ("state" NOT IN ('broken', 'void') OR ("blame" IS NOT NULL AND "code" IS NOT NULL AND "detail" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_ended_iff_final" CHECK (("state" IN ('reported', 'broken', 'cancelled', 'void')) = ("ended_at" IS NOT NULL));
ALTER TABLE "run" ADD CONSTRAINT "run_leased_has_epoch" CHECK ("state" NOT IN ('leased', 'reported', 'void') OR "lease_epoch" > 0);
ALTER TABLE "run" ADD CONSTRAINT "run_withheld_of_dependence" CHECK ("withheld" IS NULL OR ("purpose" = 'dependence' AND "state" IN ('reported', 'void')));
DROP TRIGGER "run_reported_is_final" ON "run";
CREATE TRIGGER "run_reported_is_final" BEFORE UPDATE ON "run" FOR EACH ROW
  WHEN (OLD."state" IN ('broken', 'cancelled', 'void') OR (OLD."state" = 'reported' AND NOT (NEW."state" = 'void'
    AND to_jsonb(OLD) - ARRAY['state', 'blame', 'code', 'detail', 'hint', 'changed'] = to_jsonb(NEW) - ARRAY['state', 'blame', 'code', 'detail', 'hint', 'changed'])))
  EXECUTE FUNCTION retraind_keep_final();
