-- A job keeps section and priority of its package: the scheduler reads thousands of changed jobs at once, and looking each package
-- up took longer than all the rest.

-- AlterTable
ALTER TABLE "job" ADD COLUMN "archive_priority" TEXT NOT NULL DEFAULT '',
ADD COLUMN "section" TEXT NOT NULL DEFAULT '';

-- From here on: what schema.prisma cannot say.
UPDATE "job" SET "section" = "source_version"."section", "archive_priority" = "source_version"."archive_priority"
FROM "source_version" WHERE "job"."suite" = "source_version"."suite" AND "job"."source" = "source_version"."source"
  AND "job"."version" = "source_version"."version";
