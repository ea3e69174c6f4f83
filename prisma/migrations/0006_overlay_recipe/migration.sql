-- An overlay's recipe is known before any run: a plan counts its models and runs.

-- AlterTable
ALTER TABLE "source_version" ADD COLUMN     "control" TEXT;
