-- Slots whose worker let a lease run out before it began (decision 0812): asked again later each time, so that a slot without a
-- worker takes no runs from those that have one.

-- AlterTable
ALTER TABLE "node" ADD COLUMN "silent_slots" JSONB NOT NULL DEFAULT '{}';

-- From here on: what schema.prisma cannot say.
ALTER TABLE "node" ADD CONSTRAINT "node_silent_slots_map" CHECK (jsonb_typeof("silent_slots") = 'object');
