-- A job keeps the overlay that its runs are given: all of them the same one, and a job that ended broken can be told from one that
-- the overlay of today would make.

-- AlterTable
ALTER TABLE "job" ADD COLUMN "overlay_sha256" TEXT;

-- From here on: what schema.prisma cannot say.
UPDATE "job" SET "overlay_sha256" = "source_version"."overlay_sha256" FROM "source_version"
WHERE "job"."suite" = "source_version"."suite" AND "job"."source" = "source_version"."source"
  AND "job"."version" = "source_version"."version" AND "source_version"."overlay_sha256" IS NOT NULL;
ALTER TABLE "job" ADD CONSTRAINT "job_overlay_form" CHECK ("overlay_sha256" ~ '^[0-9a-f]{64}$');
