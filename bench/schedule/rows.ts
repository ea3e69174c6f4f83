// A farm's rows in their thousands: nodes with slots that all hold a run, and jobs of many kinds that wait.
import { slotsOfNode } from '@retraind/shared/policy/world';
import { execute } from '../../tests/support/postgres-server.ts';

export const nodeCount = 200;
const slotsPerNode = 2;

const pad = (text: string, length: number): string => text.padStart(length, '0');
export const nodeIdOf = (i: number): string => pad(i.toString(16), 16);
/** Waiting jobs are `w…`, the ones that hold slots `h…`; a run has the id of its job. */
export const waitingIdOf = (i: number): string => `w${pad(i.toString(36), 11)}`;
const heldIdOf = (i: number): string => `h${pad(i.toString(36), 11)}`;
export const heldIds = Array.from({ length: nodeCount * slotsPerNode }, (_, i) => heldIdOf(i));

const gib = 2 ** 30;
const device = (capability: number, memory: number) => ({
  ...{ kind: 'cuda' as const, capability, name: `sm_${capability}`, memoryBytes: memory * gib },
});

/** A quarter each: CPU only, small, middle and large GPUs. */
const fleets = [[], [device(75, 16)], [device(80, 40), device(80, 40)], [device(90, 80), device(90, 80)]];

const wishes = [
  [{ kind: 'none' }],
  [{ kind: 'cuda', minimumCapability: 80 }, { kind: 'none' }],
  [{ kind: 'cuda', minimumCapability: 70 }],
  [{ kind: 'cuda', minimumCapability: 90 }],
  [{ kind: 'rocm', architecture: 'gfx90a' }],
];

/** 5 wishes × 4 device memories × 4 memories: 80 kinds, of 16 lengths, by 10 requesters in 3 suites. */
const demandOf = (i: number) => ({
  accelerators: wishes[i % 5],
  gpus: 1,
  gpuMemoryBytes: [0, 8, 24, 60][(i >> 2) % 4]! * gib,
  memoryBytes: [2, 4, 8, 16][(i >> 4) % 4]! * gib,
  diskBytes: gib,
  timeLimitSeconds: 14_400,
  estimateSeconds: ((i * 7) % 16) * 900,
});
const demandKinds = 5 * 64;
const suites = ['sid', 'forky', 'trixie'];
const requesters = 10;

const literal = (value: unknown): string => `'${JSON.stringify(value).replaceAll("'", "''")}'`;

/** Fills a migrated database: one waiting run a job, all slots held, as a farm that has run for long. */
export async function fill(databaseUrl: string, waiting: number): Promise<void> {
  const nodes = Array.from({ length: nodeCount }, (_, i) => {
    const devices = fleets[i % fleets.length]!;
    const shown = slotsOfNode(slotsPerNode, devices).length;
    return `('${nodeIdOf(i)}', 'key ${i}', 'node-${i}', 'amd64', ${shown}, ${literal(devices)}::jsonb, 'approved', now())`;
  });
  const demands = Array.from({ length: demandKinds }, (_, i) => `(${i}, ${literal(demandOf(i))}::jsonb)`);
  const jobs = (prefix: string, count: number, state: string) => `
    INSERT INTO job (job_id, suite, source, version, state, requested_by, demand, created_at)
    SELECT '${prefix}' || lpad(base36(i), 11, '0'), (ARRAY['${suites.join("','")}'])[1 + i % 3], '${prefix}pkg-' || i, '1.0-1',
      '${state}', 'porter-' || i % ${requesters}, demand, now() - make_interval(secs => (i * 37) % 200000)
    FROM generate_series(0, ${count - 1}) AS i JOIN demand_kind ON kind = i % ${demandKinds}`;
  const versions = (prefix: string, count: number) => `
    INSERT INTO source_version (suite, source, version)
    SELECT (ARRAY['${suites.join("','")}'])[1 + i % 3], '${prefix}pkg-' || i, '1.0-1' FROM generate_series(0, ${count - 1}) AS i`;
  const held = heldIds.length;
  await execute(
    databaseUrl,
    `CREATE FUNCTION pg_temp.base36(n int) RETURNS text LANGUAGE plpgsql AS $$
     DECLARE left_ int := n; text_ text := ''; BEGIN
       LOOP text_ := substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + left_ % 36, 1) || text_; left_ := left_ / 36;
       EXIT WHEN left_ = 0; END LOOP; RETURN text_; END $$`,
    `CREATE TEMP TABLE demand_kind AS SELECT * FROM (VALUES ${demands.join(',')}) AS of(kind, demand)`,
    ...suites.map((name) => `INSERT INTO suite (name, sources, intake_seconds) VALUES ('${name}', '', 60)`),
    versions('w', waiting),
    versions('h', held),
    `INSERT INTO node (node_id, public_key, name, class, slots, accelerators, state, seen_at) VALUES ${nodes.join(',')}`,
    jobs('w', waiting, 'needs-retrain').replaceAll('base36', 'pg_temp.base36'),
    jobs('h', held, 'retraining').replaceAll('base36', 'pg_temp.base36'),
    "INSERT INTO run (run_id, job_id, seed_index) SELECT job_id, job_id, 1 FROM job WHERE job_id LIKE 'w%'",
    `INSERT INTO run (run_id, job_id, seed_index, state, lease_epoch, node_id, slot, expires_at, heartbeat_at, step)
     SELECT job_id, job_id, 1, 'leased', 1, lpad(to_hex(i / ${slotsPerNode}), 16, '0'), i % ${slotsPerNode},
       now() + interval '1 day', now(), 'train'
     FROM (SELECT job_id, (row_number() OVER (ORDER BY job_id))::int - 1 AS i FROM job WHERE job_id LIKE 'h%') AS held`,
    "INSERT INTO lease (run_id, lease_epoch, node_id, slot) SELECT run_id, 1, node_id, slot FROM run WHERE state = 'leased'",
    'ANALYZE',
  );
}
