// The farm on several machines: an own PostgreSQL and an own Redis with a user for each program, the api and scheduler here, and a
// worker on an island that reaches nothing but the API, Redis and one apt archive. It does the main job of the demo.
//   npm run test:distributed              clothes, clothes-tampered and clothes-patched
//   npm run test:distributed -- --quick   examples/tiny only
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openApt } from '@retraind/host/apt';
import { openArchive } from '@retraind/host/archive';
import { serveArchive } from '@retraind/host/archive/server';
import { buildSourcePackage } from '@retraind/host/archive/source-package';
import { runCommand } from '@retraind/host/command';
import { ensureTool } from '@retraind/host/debian-tools';
import { preparePostgres } from '@retraind/host/postgres';
import { type ProgramSpec, Supervisor } from '@retraind/host/supervise';
import { queueAcl, queueSha256 } from '@retraind/shared/node/queue-acl';
import type { Page } from '@retraind/shared/wire/page';
import type { JobSummary } from '@retraind/shared/wire/resources';
import { FarmClient } from '../../apps/cli/src/farm-client.ts';
import { openJobProgress } from '../../apps/cli/src/progress.ts';
import { loadNodeKey, type NodeKey } from '../../apps/worker/src/node-key.ts';
import { makeIsland, reaches } from './network.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const quick = process.argv.includes('--quick');
const expected: Record<string, string> = quick
  ? { tiny: 'statistically-equivalent' }
  : { clothes: 'statistically-equivalent', 'clothes-tampered': 'different', 'clothes-patched': 'different' };
const say = (line: string): void => console.error(line);

const folder = await mkdtemp(join(tmpdir(), 'retraind-distributed-'));
const island = await makeIsland();
say(
  island.fallback === null
    ? `the worker runs on an island (network namespace); it reaches ${island.hostAddress} only`
    : `no right to make network namespaces (${island.fallback}): the worker runs on loopback, so this run does not show that it reaches nothing else`,
);
const supervisor = new Supervisor({
  line: (program, line) => {
    if (process.env.VERBOSE) say(`${program}: ${line}`);
  },
  died: (program, how) => say(`${program} died: ${how}`),
});
const undo: (() => Promise<unknown>)[] = [
  () => island.remove(),
  () => rm(folder, { recursive: true, force: true }),
  () => supervisor.stop(),
];

try {
  await runMainJob();
  console.log('1 passed, 0 failed');
} finally {
  for (const step of undo.reverse()) await step();
}

async function runMainJob(): Promise<void> {
  const { databaseUrl } = await startDatabase();
  const nodeKeyFile = join(folder, 'node.key');
  const node = loadNodeKey(nodeKeyFile);
  const redis = await startRedis(node);
  const archive = await startArchive();
  const tokenFile = join(folder, 'token');
  const token = randomBytes(24).toString('base64url');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const farm = { DATABASE_URL: databaseUrl, RETRAIND_ARTIFACTS: join(folder, 'artifacts') };

  let address = '';
  await supervisor.start(
    program(
      'api',
      ['apps/api/src/main.ts'],
      { ...farm, RETRAIND_LISTEN: `${island.hostAddress}:0`, RETRAIND_ADMIN_TOKEN_FILE: tokenFile },
      (line) => {
        address = line.match(/"address":"(http:[^"]+)"/)?.[1] ?? '';
        return address !== '';
      },
    ),
  );
  await supervisor.start(
    program('scheduler', ['apps/scheduler/src/main.ts'], {
      ...farm,
      REDIS_URL: redis.schedulerUrl,
      RETRAIND_STATE: join(folder, 'scheduler'),
    }),
  );
  const client = new FarmClient(address, token);
  await client.post('/api/v1/nodes', {
    publicKey: node.publicKeyPem,
    name: 'island',
    class: 'amd64',
    slots: 1,
  });
  await client.post('/api/v1/suites', { name: 'local', sources: archive.sources, intakeSeconds: 5 });

  await checkIsland(redis.port);
  await supervisor.start(
    program(
      'worker',
      ['apps/worker/src/main.ts'],
      {
        RETRAIND_API: address,
        REDIS_URL: redis.workerUrl,
        RETRAIND_NODE_KEY_FILE: nodeKeyFile,
        RETRAIND_WORK: join(folder, 'work'),
      },
      undefined,
      island.prefix,
    ),
  );
  await waitForVerdicts(client);
}

function program(
  name: string,
  script: string[],
  env: Record<string, string>,
  readyWhen?: (line: string) => boolean,
  prefix: string[] = [],
): ProgramSpec {
  const machine = Object.entries(process.env).filter(
    ([key]) => !/^(RETRAIND?_|DATABASE_URL|REDIS_URL)/.test(key),
  );
  return {
    name,
    argv: [...prefix, process.execPath, '--import', 'tsx', ...script] as [string, ...string[]],
    env: { ...(Object.fromEntries(machine) as Record<string, string>), ...env },
    cwd: root,
    readyWhen,
  };
}

async function startDatabase(): Promise<{ databaseUrl: string }> {
  const postgres = await preparePostgres(join(folder, 'postgres'));
  undo.push(() => postgres.forget());
  await supervisor.start(postgres.program);
  const databaseUrl = postgres.urlOf('postgres');
  const { code, stderr } = await runCommand(process.execPath, ['--import', 'tsx', 'prisma/migrate.ts'], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
  assert.equal(code, 0, stderr);
  return { databaseUrl };
}

/** A Redis with two users: the scheduler's, and the node's, which reaches its own queues' keys only (DESIGN: an ACL user a node). */
async function startRedis(node: NodeKey): Promise<{ schedulerUrl: string; workerUrl: string; port: number }> {
  const binary = await ensureTool('redis-server');
  const port = await freePort(island.hostAddress);
  const schedulerSecret = randomBytes(16).toString('hex');
  await mkdir(join(folder, 'redis'));
  const acl = join(folder, 'redis', 'users.acl');
  await writeFile(
    acl,
    [
      'user default off',
      `user scheduler on >${schedulerSecret} ~* &* +@all`,
      `user ${queueAcl(node.nodeId, queueSha256(node.privateKey)).join(' ')}`,
      '',
    ].join('\n'),
  );
  const options = [
    '--bind',
    island.hostAddress,
    '--port',
    String(port),
    '--dir',
    join(folder, 'redis'),
    '--aclfile',
    acl,
    '--appendonly',
    'yes',
    '--protected-mode',
    'no',
    '--maxmemory-policy',
    'noeviction',
    '--save',
    '',
  ];
  await supervisor.start({
    name: 'redis',
    argv: [binary, ...options],
    env: { PATH: process.env.PATH ?? '' },
    cwd: '/',
    readyWhen: (line) => line.includes('Ready to accept connections'),
  });
  const urlOf = (user: string, secret: string): string =>
    `redis://${user}${secret === '' ? '' : `:${secret}`}@${island.hostAddress}:${port}`;
  return { schedulerUrl: urlOf('scheduler', schedulerSecret), workerUrl: urlOf(node.nodeId, ''), port };
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, host, done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** The farm's own archive over HTTP, with the dataset's package copied into it. */
async function startArchive(): Promise<{ sources: string }> {
  const archive = await openArchive({ folder: join(folder, 'archive'), suite: 'local' });
  const uploads = join(folder, 'uploads');
  await mkdir(uploads);
  for (const name of Object.keys(expected)) {
    await archive.addSource(
      (await buildSourcePackage({ folder: join(root, 'examples', name), out: uploads })).dsc,
    );
  }
  if (!quick) {
    const apt = await openApt({ stateFolder: join(folder, 'apt'), kinds: ['deb'] });
    await apt.update();
    await archive.addBinary(await apt.fetchBinary('dataset-fashion-mnist', null, uploads));
  }
  await archive.publish();
  const server = await serveArchive(archive.publicFolder, 0, island.hostAddress);
  undo.push(() => server.close());
  return { sources: archive.sources(server.address) };
}

async function checkIsland(redisPort: number): Promise<void> {
  assert.equal(await reaches(island, island.hostAddress, redisPort), true, 'the island does not reach Redis');
  if (island.fallback !== null) return;
  const lonely = createServer();
  await new Promise<void>((done) => lonely.listen(0, '127.0.0.1', done));
  const { port } = lonely.address() as { port: number };
  assert.equal(await reaches(island, '127.0.0.1', port), false, 'the island reaches our loopback');
  await new Promise((done) => lonely.close(done));
  const { stdout } = await runCommand(island.prefix[0]!, [
    ...island.prefix.slice(1),
    'ip',
    'route',
    'show',
    'default',
  ]);
  assert.equal(stdout.trim(), '', 'the island has a way out');
}

async function waitForVerdicts(client: FarmClient): Promise<void> {
  const progress = openJobProgress(say);
  const open = new Set(['needs-retrain', 'retraining']);
  let jobs: JobSummary[] = [];
  do {
    await sleep(500);
    jobs = (await client.get<Page<JobSummary>>('/api/v1/jobs')).items;
    if (jobs.length > 0) progress.show(jobs);
  } while (jobs.length < Object.keys(expected).length || jobs.some((job) => open.has(job.state)));
  progress.stop();
  for (const job of jobs) {
    console.log(`${job.source} ${job.version}: ${job.verdicts.map((verdict) => verdict.sentence).join(' ')}`);
    assert.equal(job.state, 'judged', `${job.source} is ${job.state}: ${job.reason}`);
    assert.equal(job.verdicts[0]?.rung, expected[job.source]);
  }
}
