-- A lease names the devices that its run may have, so that no worker gives one that nobody approved, and the class that it computes in,
-- which binds the runs that are compared with it bit by bit. An admin says how long a run of a node may be. Requests to enrol are
-- counted here, for all api processes together.

-- AlterTable
ALTER TABLE "node" ADD COLUMN     "longest_run_seconds" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "lease" ADD COLUMN     "class" TEXT,
ADD COLUMN     "device_ids" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "run" ADD COLUMN     "class" TEXT;

-- CreateTable
CREATE TABLE "enrolment_bucket" (
    "address" TEXT NOT NULL,
    "tokens" DOUBLE PRECISION NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "enrolment_bucket_pkey" PRIMARY KEY ("address")
);

-- From here on: what schema.prisma cannot say.
ALTER TABLE "node" ADD CONSTRAINT "node_longest_run_sane" CHECK ("longest_run_seconds" >= 0);
ALTER TABLE "lease" ADD CONSTRAINT "lease_device_ids_few" CHECK (cardinality("device_ids") <= 256);
DROP TRIGGER "node_notify" ON "node";
CREATE TRIGGER "node_notify" AFTER UPDATE OF "state", "slots", "approved_inventory", "tags", "longest_run_seconds" ON "node"
  FOR EACH ROW EXECUTE FUNCTION retraind_notify('node', 'node_id');
