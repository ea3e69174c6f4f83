-- What the order of waiting jobs and the choice of a slot are weighed by: section and priority of the archive, data that nodes may have.

-- AlterTable
ALTER TABLE "source_version" ADD COLUMN "section" TEXT NOT NULL DEFAULT '',
ADD COLUMN "archive_priority" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "job" ADD COLUMN "data_digests" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- From here on: what schema.prisma cannot say.
ALTER TABLE "job" ADD CONSTRAINT "job_data_digests_few" CHECK (cardinality("data_digests") <= 256);
