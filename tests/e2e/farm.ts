// A whole farm for a test: PostgreSQL, api, scheduler and workers as processes of one supervisor, reading a signed archive of
// the named examples. Programs that die are started again, as on a real farm.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Archive, openArchive } from '@retraind/host/archive';
import { buildSourcePackage } from '@retraind/host/archive/source-package';
import { preparePostgres } from '@retraind/host/postgres';
import { type ProgramSpec, Supervisor } from '@retraind/host/supervise';
import { type Database, listen, openDatabase } from '@retraind/prisma/client';
import { migrate } from '@retraind/prisma/migrate';
import * as jobs from '@retraind/prisma/store/jobs';
import type { SchedulingPolicy } from '@retraind/shared/policy/world';
import { loadNodeKey } from '@retraind/worker/node-key';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface TestFarmOptions {
  /** Names below examples/, or paths of source trees, that the archive holds. */
  examples: readonly string[];
  /** Unset: the queue lies in PostgreSQL. */
  redisUrl?: string;
  /** Machines of their own, as the farm sees them: a key, a folder and `slots` workers each; one where absent. */
  nodes?: number;
  /** The recording that a node replays as its inventory (apps/worker/src/gpu/recordings), by node; the machine's own where absent. */
  inventories?: readonly string[];
  /** A copy of this repository from which a node's workers run, by node; this one where absent. */
  installations?: readonly (string | undefined)[];
  /** Where the farm's differs from the default. No node is checked by lot where this is absent: a test counts its runs. */
  policy?: Partial<SchedulingPolicy>;
  slots?: number;
  /** One leads, the others stand by; one where absent. */
  schedulers?: number;
  /** Folder of programs that workers find before the system's. */
  programsFolder?: string;
  /** The address at which workers reach the api, made from its own: something may stand between. */
  workersReach?: (api: string, db: Database) => Promise<string>;
  leaseSeconds?: number;
  /** Fixed job seed, so that two farms train the same. */
  seed: string;
  sandbox?: 'bwrap' | 'none';
  /** How often the archive's index is asked for; an hour where absent, for tests that upload once. */
  intakeSeconds?: number;
}

export interface TestFarm {
  api: string;
  token: string;
  databaseUrl: string;
  db: Database;
  /** Of the first node: the least id, so the one that is chosen where all suit alike. */
  nodeId: string;
  /** RETRAIND_WORK of its workers. */
  work: string;
  supervisor: Supervisor;
  /** Names of the supervisor's programs that may be killed. */
  programs: readonly string[];
  /** Resolves when the one job of a source has left the working states. Rejects after `seconds`, with the logs' ends. */
  settled(source: string, seconds: number): Promise<jobs.Job>;
  post(path: string, body: unknown): Promise<unknown>;
  get<T>(path: string): Promise<T>;
  /** Builds a tree as a source package, under another Debian revision where `version` is given, and publishes it. */
  upload(tree: string, version?: string): Promise<void>;
  /** Asks again and again until there is an answer. Rejects after `seconds`, with the logs' ends. */
  until<T>(look: () => Promise<T | null | undefined>, seconds: number): Promise<T>;
  /** Resolves when a program next logs a line with this in it. */
  says(programName: string, text: string): Promise<void>;
  /** The last lines of the programs' logs. */
  tail(): string;
  stop(): Promise<void>;
}

export async function startTestFarm(options: TestFarmOptions): Promise<TestFarm> {
  const {
    examples,
    redisUrl,
    nodes = 1,
    slots = 1,
    schedulers = 1,
    programsFolder,
    leaseSeconds = 2,
    seed,
    sandbox = 'bwrap',
    intakeSeconds = 3_600,
  } = options;
  const folder = await mkdtemp('/tmp/retraind-farm-');
  const log = new Log();
  const supervisor = new Supervisor({
    line: (program, line) => log.add(program, line),
    died: (program, how, pause) => log.add(program, `died (${how}), again in ${pause} ms`),
  });
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const postgres = await preparePostgres(join(folder, 'postgres'));
    undo.push(
      () => postgres.forget(),
      () => supervisor.stop(),
    );
    await supervisor.start(postgres.program);
    const databaseUrl = postgres.urlOf('postgres');
    await migrate(databaseUrl);
    const db = openDatabase(databaseUrl);
    undo.push(() => db.$disconnect());

    const token = randomBytes(24).toString('base64url');
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
    const artifacts = join(folder, 'artifacts');
    const policyFile = join(folder, 'policy.json');
    await writeFile(policyFile, JSON.stringify({ spotCheckShare: 0, ...options.policy }));
    const lease = { RETRAIND_LEASE_SECONDS: String(leaseSeconds) };
    let api = '';
    const apiProgram = program('api', {
      ...lease,
      RETRAIND_POLICY: policyFile,
      DATABASE_URL: databaseUrl,
      RETRAIND_LISTEN: '127.0.0.1:0',
      RETRAIND_ARTIFACTS: artifacts,
      RETRAIND_ADMIN_TOKEN_FILE: tokenFile,
      RETRAIND_HEARTBEAT_SECONDS: '0.5',
    });
    apiProgram.readyWhen = (line) => {
      api = line.match(/"address":"(http:[^"]+)"/)?.[1] ?? '';
      return api !== '';
    };
    await supervisor.start(apiProgram);
    // A killed api must come back at the address that the workers know.
    apiProgram.env.RETRAIND_LISTEN = new URL(api).host;

    const schedulerNames = Array.from({ length: schedulers }, (_, i) => (i ? `scheduler-${i}` : 'scheduler'));
    for (const [i, name] of schedulerNames.entries()) {
      const scheduler = program('scheduler', {
        ...lease,
        RETRAIND_POLICY: policyFile,
        DATABASE_URL: databaseUrl,
        ...(redisUrl && { REDIS_URL: redisUrl }),
        RETRAIND_ARTIFACTS: artifacts,
        RETRAIND_STATE: join(folder, name),
        RETRAIND_TICK_SECONDS: '0.5',
        RETRAIND_SEED: seed,
      });
      const isReady = i === 0 ? '"msg":"leading"' : '"msg":"listening"';
      await supervisor.start({ ...scheduler, name, readyWhen: (line) => line.includes(isReady) });
    }

    const post = poster(api, token);
    const reached = (await options.workersReach?.(api, db)) ?? api;
    const nodeIds: string[] = [];
    const workers: string[] = [];
    const keys = Array.from({ length: nodes }, (_, node) => {
      const keyFile = join(folder, `node-${node}.key`);
      return { keyFile, ...loadNodeKey(keyFile) };
    }).sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    for (const [node, { keyFile, nodeId, publicKeyPem }] of keys.entries()) {
      nodeIds.push(nodeId);
      await post('/api/v1/nodes', {
        publicKey: publicKeyPem,
        name: `test-${node}`,
        class: 'amd64',
        slots,
      });
      for (let slot = 0; slot < slots; slot++) {
        const worker = program('worker', {
          RETRAIND_API: reached,
          ...(redisUrl ? { REDIS_URL: redisUrl } : { RETRAIND_QUEUE_URL: workerUrlOf(databaseUrl) }),
          RETRAIND_NODE_KEY_FILE: keyFile,
          RETRAIND_SLOT: String(slot),
          RETRAIND_WORK: join(folder, `work-${node}`),
          RETRAIND_SANDBOX: sandbox,
        });
        const recording = options.inventories?.[node];
        if (recording)
          worker.env.RETRAIND_INVENTORY = join(root, 'apps/worker/src/gpu/recordings', recording);
        if (programsFolder) worker.env.PATH = `${programsFolder}:${worker.env.PATH}`;
        worker.cwd = options.installations?.[node] ?? root;
        const name = `worker-${workers.length}`;
        workers.push(name);
        await supervisor.start({ ...worker, name, readyWhen: (line) => line.includes('"msg":"listening"') });
      }
    }
    const archive = await openArchive({ folder: join(folder, 'archive'), suite: 'test' });
    for (const name of examples) await upload(archive, folder, resolve(root, 'examples', name));
    await archive.publish();
    await post('/api/v1/suites', { name: 'test', sources: archive.sources(), intakeSeconds });
    return {
      api,
      token,
      databaseUrl,
      db,
      nodeId: nodeIds[0]!,
      work: join(folder, 'work-0'),
      supervisor,
      programs: ['postgres', 'api', ...schedulerNames, ...workers],
      settled: (source, seconds) => settled(db, databaseUrl, source, seconds, log),
      post,
      get: async <T>(path: string): Promise<T> => {
        const response = await fetch(new URL(path, api));
        if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
        return (await response.json()) as T;
      },
      upload: async (tree, version) => {
        await upload(archive, folder, resolve(root, 'examples', tree), version);
        await archive.publish();
      },
      until: (look, seconds) => answered(look, seconds, log),
      says: (programName, text) => log.next(programName, text),
      tail: () => log.tail(),
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`the farm did not start: ${(error as Error).message}\n${log.tail()}`, { cause: error });
  }
}

const program = (app: 'api' | 'scheduler' | 'worker', env: Record<string, string>): ProgramSpec => ({
  name: app,
  argv: [process.execPath, '--import', 'tsx', `apps/${app}/src/main.ts`],
  cwd: root,
  env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', TZ: 'UTC', ...env },
});

/** Builds a tree as a source package and puts it into the archive's pool. */
async function upload(archive: Archive, folder: string, tree: string, version?: string): Promise<void> {
  const out = await mkdtemp(join(folder, 'packages-'));
  const release = version === undefined ? undefined : { version, change: 'A test uploads it again.' };
  await archive.addSource((await buildSourcePackage({ folder: tree, out, release })).dsc);
}

/** The database as workers reach it: over the role that the scheduler makes, which sees the queue only. */
const workerUrlOf = (databaseUrl: string): string => databaseUrl.replace(/\/\/[^@]+@/, '//retraind_worker@');

const poster =
  (api: string, token: string) =>
  async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, api), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  };

const working = new Set(['needs-retrain', 'retraining']);

function settled(
  db: Database,
  databaseUrl: string,
  source: string,
  seconds: number,
  log: Log,
): Promise<jobs.Job> {
  return new Promise((resolve, reject) => {
    let last = 'no job';
    const end = (done: () => void) => {
      clearTimeout(timer);
      void listening.close();
      done();
    };
    const look = async () => {
      const [job] = await jobs.ofPackage(db, source);
      if (job) last = `${job.state}: ${job.reason}`;
      if (job && !working.has(job.state)) end(() => resolve(job));
    };
    // A database that is being killed answers nothing: the reconnected listener looks again.
    const listening = listen(databaseUrl, () => void look().catch(() => undefined));
    const timer = setTimeout(
      () =>
        end(() => reject(new Error(`${source} has not settled in ${seconds} s (${last})\n${log.tail()}`))),
      seconds * 1_000,
    );
  });
}

async function answered<T>(look: () => Promise<T | null | undefined>, seconds: number, log: Log): Promise<T> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null) return found;
    if (performance.now() > end) throw new Error(`not seen in ${seconds} s\n${log.tail()}`);
    await sleep(50);
  }
}

/** The last lines of every program, for a failure's message, and whoever waits for one. */
class Log {
  readonly #lines: string[] = [];
  #waiting: { programName: string; text: string; resolve: () => void }[] = [];

  add(programName: string, line: string): void {
    this.#lines.push(`${programName}: ${line}`);
    if (this.#lines.length > 400) this.#lines.shift();
    this.#waiting = this.#waiting.filter((wait) => {
      const isIt = wait.programName === programName && line.includes(wait.text);
      if (isIt) wait.resolve();
      return !isIt;
    });
  }

  next(programName: string, text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ programName, text, resolve }));
  }

  tail(): string {
    return this.#lines.slice(-60).join('\n');
  }
}
