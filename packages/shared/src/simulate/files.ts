// The files that an admin gives to `retrain simulate`: nodes and jobs (the policy: policy/policy-file). JSON from people and from other farms: checked
// against a schema, every fault with its place, nothing unknown taken in silence.
import { type Static, type TSchema, Type } from 'typebox';
import { parseWishes, wishCure } from '../gpu/wish.ts';
import type { Account, BilledUnit } from '../policy/world.ts';
import { demandOfStored, slotsOfNode } from '../policy/world.ts';
import { BudgetAccount } from '../wire/campaigns.ts';
import { readJson } from '../wire/json-file.ts';
import { AcceleratorShape } from '../wire/messages.ts';
import { Problem } from '../wire/problems.ts';
import type { SimulatedNode } from './fleet.ts';
import type { SimulatedBudget } from './purse.ts';
import { type SimulatedJob, settledAfter } from './workload.ts';

/** Most nodes and jobs of a file. */
export const maxNodes = 5_000;
export const maxJobs = 200_000;
export const maxBudgets = 1_000;
/** Longest file, in bytes. */
export const maxFileBytes = 128 * 2 ** 20;

const tenYearsSeconds = 10 * 365 * 86_400;
const text = Type.String({ minLength: 1, maxLength: 256 });
const name = Type.String({ pattern: '^[^\\u0000-\\u0020\\u007f]+$', maxLength: 256 });
const bytes = Type.Integer({ minimum: 0, maximum: 2 ** 50 });
const seconds = Type.Number({ minimum: 0, maximum: tenYearsSeconds });
const points = Type.Number({ minimum: -1_000_000, maximum: 1_000_000 });
const closed = { additionalProperties: false };

/** As `retrain node list --json` lists them; what else such a list says is passed over. */
const NodeFile = Type.Array(
  Type.Object({
    name: Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]+$', maxLength: 256 }),
    class: Type.String({ pattern: '^[a-z0-9]+(\\+[a-z0-9_]+)*$', maxLength: 64 }),
    slots: Type.Integer({ minimum: 1, maximum: 256 }),
    accelerators: Type.Array(AcceleratorShape, { maxItems: 512 }),
    tags: Type.Optional(Type.Array(Type.Object({ tag: name, mandatory: Type.Boolean() }), { maxItems: 64 })),
    memoryBytes: Type.Optional(bytes),
    diskFreeBytes: Type.Optional(bytes),
    longestRunSeconds: Type.Optional(Type.Union([seconds, Type.Null()])),
  }),
  { minItems: 1, maxItems: maxNodes },
);

const JobFile = Type.Array(
  Type.Object(
    {
      source: name,
      version: Type.Optional(name),
      suite: Type.Optional(name),
      requestedBy: Type.Optional(name),
      requestedAtSeconds: seconds,
      releaseId: Type.Optional(name),
      priority: Type.Optional(points),
      section: Type.Optional(Type.String({ maxLength: 128 })),
      archivePriority: Type.Optional(Type.String({ maxLength: 128 })),
      accelerators: text,
      gpus: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
      gpuMemoryBytes: Type.Optional(bytes),
      memoryBytes: Type.Optional(bytes),
      diskBytes: Type.Optional(bytes),
      timeLimitSeconds: Type.Optional(seconds),
      estimateSeconds: Type.Optional(seconds),
      machines: Type.Optional(Type.Array(name, { maxItems: 16 })),
      tags: Type.Optional(Type.Array(name, { maxItems: 64 })),
      datasetDigests: Type.Optional(Type.Array(name, { maxItems: 256 })),
      fetchSeconds: Type.Optional(seconds),
      trainSeconds: Type.Number({ minimum: 1, maximum: tenYearsSeconds }),
      checkpoints: Type.Optional(Type.Boolean()),
      retrains: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
    },
    closed,
  ),
  { minItems: 1, maxItems: maxJobs },
);

const hours = Type.Optional(Type.Union([Type.Null(), Type.Number({ minimum: 0, maximum: 1e9 })]));

/** As `retrain budget show --json` lists them, and when each is renewed; what else such a list says is passed over. */
const BudgetFile = Type.Array(
  Type.Object({
    account: BudgetAccount,
    gpuHours: hours,
    cpuHours: hours,
    renewDays: Type.Optional(Type.Number({ minimum: 1, maximum: 3_650 })),
  }),
  { minItems: 1, maxItems: maxBudgets },
);

const read = <T extends TSchema>(schema: T, json: string, file: string): Static<T> =>
  readJson(schema, json, file, 'docs/how-to/try-a-policy.md shows the fields');

/** Nodes, as an array or `{"nodes": […]}`. Throws Problem `invalid-request`. */
export function readNodes(json: string, file: string): SimulatedNode[] {
  return read(NodeFile, unwrapped(json, 'nodes', file), file).map((node) => ({
    name: node.name,
    class: node.class,
    slots: slotsOfNode(node.slots, node.accelerators),
    tags: node.tags ?? [],
    memoryBytes: node.memoryBytes ?? null,
    diskFreeBytes: node.diskFreeBytes ?? null,
    longestRunSeconds: node.longestRunSeconds ?? 0,
  }));
}

/** Jobs, in any order, as an array or `{"jobs": […]}`. Every recipe works. Throws Problem `invalid-request`. */
export function readJobs(json: string, file: string): SimulatedJob[] {
  const jobs = read(JobFile, unwrapped(json, 'jobs', file), file).map((job, index): SimulatedJob => {
    const { wishes, faults } = parseWishes(job.accelerators);
    if (faults.length > 0) {
      throw new Problem('invalid-request', `${file}: /${index}/accelerators ${faults.join('; ')}`, wishCure);
    }
    const retrains = job.retrains ?? 5;
    const {
      gpus,
      gpuMemoryBytes,
      memoryBytes,
      diskBytes,
      timeLimitSeconds,
      estimateSeconds,
      machines,
      tags,
    } = job;
    const asked = {
      gpus,
      gpuMemoryBytes,
      memoryBytes,
      diskBytes,
      timeLimitSeconds,
      estimateSeconds,
      machines,
      tags,
    };
    const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    return {
      source: job.source,
      version: job.version ?? String(index + 1),
      suite: job.suite ?? 'sid',
      requestedBy: job.requestedBy ?? 'intake',
      requestedAtSeconds: job.requestedAtSeconds,
      releaseId: job.releaseId ?? null,
      priority: job.priority ?? 0,
      section: job.section ?? '',
      archivePriority: job.archivePriority ?? '',
      demand: demandOfStored({ ...said, accelerators: wishes }),
      datasetDigests: job.datasetDigests ?? [],
      fetchSeconds: job.fetchSeconds ?? 60,
      trainSeconds: job.trainSeconds,
      ...settledAfter(retrains),
      fate: 'works',
      checkpoints: job.checkpoints ?? true,
      neededDeviceBytes: 0,
      cancelledAfterSeconds: null,
    };
  });
  return jobs.sort((a, b) => a.requestedAtSeconds - b.requestedAtSeconds);
}

/** Budgets, as an array or `{"budgets": […]}`. Nothing is spent yet. Throws Problem `invalid-request`. */
export function readBudgets(json: string, file: string): SimulatedBudget[] {
  const listed = read(BudgetFile, unwrapped(json, 'budgets', file), file);
  const accounts = listed.map(({ account }) => account);
  const twice = accounts.findIndex((account, index) => accounts.indexOf(account) !== index);
  if (twice !== -1) {
    throw new Problem('invalid-request', `${file}: /${twice}/account ${accounts[twice]} is there twice`);
  }
  return listed.flatMap(({ account, gpuHours, cpuHours, renewDays = null }) => {
    const of = (unit: BilledUnit, limitHours: number | null = null): SimulatedBudget[] =>
      limitHours === null ? [] : [{ account: account as Account, unit, limitHours, renewDays }];
    return [...of('gpu', gpuHours), ...of('cpu', cpuHours)];
  });
}

/** The array in a document that names it; the document itself where it is one. */
function unwrapped(json: string, field: string, file: string): string {
  if (!/^\s*\{/.test(json)) return json;
  const page = read(Type.Object({ [field]: Type.Array(Type.Unknown()) }), json, file) as Record<
    string,
    unknown
  >;
  return JSON.stringify(page[field]);
}
