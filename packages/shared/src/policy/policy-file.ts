// The scheduling policy as an admin writes it (RETRAIND_POLICY, `retrain simulate --policy`): JSON with what differs from the
// default. What is not known is refused, so that a misspelt name changes nothing in silence.
import { Type } from 'typebox';
import { readJson } from '../wire/json-file.ts';
import { defaultPolicy, type SchedulingPolicy } from './world.ts';

const points = Type.Number({ minimum: -1_000_000, maximum: 1_000_000 });
const days = Type.Number({ minimum: 0, maximum: 3_650 });
const closed = { additionalProperties: false };

const PolicyFile = Type.Partial(
  Type.Object({
    ageing: Type.Union([
      Type.Null(),
      Type.Object({ pointsPerDay: points, capDays: days, overdueDays: days }, closed),
    ]),
    length: Type.Object(
      { pointsPerHour: points, capHours: Type.Number({ minimum: 0, maximum: 87_600 }) },
      closed,
    ),
    sectionPoints: Type.Record(Type.String({ maxLength: 128 }), points),
    archivePriorityPoints: Type.Record(Type.String({ maxLength: 128 }), points),
    fairSharePoints: points,
    shares: Type.Record(
      Type.String({ maxLength: 256, pattern: '^(suite|requester):.+' }),
      Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
    ),
    backfill: Type.Boolean(),
    preemption: Type.Union([
      Type.Null(),
      Type.Object(
        {
          // Less than one point would let runs change places for nothing.
          points: Type.Number({ minimum: 1, maximum: 1_000_000 }),
          leastHeldSeconds: Type.Number({ minimum: 0, maximum: 30 * 86_400 }),
          mostAtOnce: Type.Integer({ minimum: 1, maximum: 1_000 }),
          mostTimes: Type.Integer({ minimum: 1, maximum: 100 }),
          neverAbove: Type.Number({ minimum: 0, maximum: 1 }),
        },
        closed,
      ),
    ]),
    hopelessDays: days,
    spotCheckShare: Type.Number({ minimum: 0, maximum: 1 }),
    spotCheckHours: Type.Number({ minimum: 0, maximum: 87_600 }),
  }),
  closed,
);

/** A policy: what the file does not say stays as it is by default. Throws Problem `invalid-request`. */
export const readPolicy = (json: string, file: string): SchedulingPolicy => ({
  ...defaultPolicy,
  ...readJson(PolicyFile, json, file, 'docs/how-to/try-a-policy.md lists the values'),
});
