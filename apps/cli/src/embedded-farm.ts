// The embedded farm: PostgreSQL, api, scheduler and workers as children of one supervisor, with one data folder. The same
// programs as on a farm of many machines; only their environment differs.
import { randomBytes } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import { ensureTool } from '@retraind/host/debian-tools';
import { takeLock } from '@retraind/host/file-lock';
import { preparePostgres } from '@retraind/host/postgres';
import { replaceFile } from '@retraind/host/replace-file';
import { type ProgramSpec, Supervisor } from '@retraind/host/supervise';
import { nodeClass } from '@retraind/shared/gpu/device';
import { Problem } from '@retraind/shared/wire/problems';
import { Inventory, machineInventory } from '@retraind/worker/gpu/inventory';
import { openMachine } from '@retraind/worker/gpu/machine';
import { loadNodeKey } from '@retraind/worker/node-key';
import { addressFile, type FarmAddress, FarmClient } from './farm-client.ts';

export interface EmbeddedFarmOptions {
  data: string;
  /** HOST:PORT; where absent the default address, or a free port when that is taken. */
  listen: string | undefined;
  slots: number | undefined;
  seed: string | undefined;
  /** Whether missing Debian tools may be installed. */
  install: boolean;
  sandbox: 'bwrap' | 'none';
}

export interface EmbeddedFarm {
  client: FarmClient;
  data: string;
  /** Process ids by program, for tests that kill them. */
  supervisor: Supervisor;
  /** Resolves when the caller's signal is aborted. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const defaultListen = '127.0.0.1:8480';
const typescript = [process.execPath, '--import', 'tsx'] as const;

/** Starts everything and answers when a node is registered and the pages are up. Problem `already-running` beside another. */
export async function startEmbeddedFarm(
  options: EmbeddedFarmOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<EmbeddedFarm> {
  const data = resolve(options.data);
  await mkdir(data, { recursive: true });
  const unlock = await lockData(data);
  const undo: (() => Promise<void>)[] = [unlock];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const tools = ['dpkg-source', 'make', 'xz', ...(options.sandbox === 'bwrap' ? ['bwrap'] : [])] as const;
    for (const tool of tools) await ensureTool(tool as 'make', { install: options.install, say });
    const logs = await openLogs(join(data, 'log'));
    undo.push(() => logs.close());
    const supervisor = new Supervisor({
      line: (program, line) => logs.write(program, line),
      died: (program, how, pause) => {
        if (!signal.aborted) say(`${program} died (${how}); starting it again in ${pause} ms`);
      },
    });
    undo.push(() => supervisor.stop());
    const urls = ownDatabase() ?? (await startPostgres(data, supervisor, undo));
    await migrate(urls.databaseUrl);
    const client = await startPrograms({ ...options, data }, urls, supervisor, logs, say);
    await replaceFile(
      addressFile(data),
      JSON.stringify({ address: client.address, tokenFile: tokenFile(data) } satisfies FarmAddress),
    );
    undo.push(() => rm(addressFile(data), { force: true }));
    const ended = new Promise<void>((resolve_) => {
      if (signal.aborted) resolve_();
      signal.addEventListener('abort', () => resolve_(), { once: true });
    });
    return { client, data, supervisor, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const tokenFile = (data: string): string => join(data, 'token');

async function lockData(data: string): Promise<() => Promise<void>> {
  try {
    return await takeLock(join(data, 'lock'), { waitSeconds: 0 });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
    const other = await readFile(addressFile(data), 'utf8').then(
      (text) => (JSON.parse(text) as FarmAddress).address,
      () => undefined,
    );
    throw new Problem(
      'already-running',
      other ? `a farm runs on ${data} already: ${other}/` : `a farm is starting on ${data} already`,
      'stop that one, or give this one a data folder of its own with --data',
    );
  }
}

interface Logs {
  write(program: string, line: string): void;
  close(): Promise<void>;
}

async function openLogs(folder: string): Promise<Logs> {
  await mkdir(folder, { recursive: true });
  const files = new Map<string, WriteStream>();
  return {
    write(program, line) {
      const file = files.get(program) ?? createWriteStream(join(folder, `${program}.log`), { flags: 'a' });
      files.set(program, file);
      file.write(`${line}\n`);
    },
    async close() {
      for (const file of files.values()) await new Promise<void>((done) => file.end(() => done()));
    },
  };
}

interface DatabaseUrls {
  databaseUrl: string;
  /** What workers get: it reaches the queue's schema and no table of the farm, where we make the roles. */
  queueUrl: string;
}

/** Roles of a PostgreSQL that the user brings are the user's own affair. */
function ownDatabase(): DatabaseUrls | null {
  const databaseUrl = process.env.DATABASE_URL;
  return databaseUrl ? { databaseUrl, queueUrl: process.env.RETRAIND_QUEUE_URL ?? databaseUrl } : null;
}

async function startPostgres(
  data: string,
  supervisor: Supervisor,
  undo: (() => Promise<void>)[],
): Promise<DatabaseUrls> {
  const postgres = await preparePostgres(join(data, 'postgres'));
  // Before the supervisor's stop in `undo`, hence after it in time.
  undo.splice(1, 0, () => postgres.forget());
  await startWithRetries(supervisor, postgres.program);
  return { databaseUrl: postgres.urlOf('postgres'), queueUrl: postgres.urlOf('postgres', 'retraind_worker') };
}

/** A server that was killed leaves backends that hold its shared memory for a moment; then the first start fails. */
async function startWithRetries(supervisor: Supervisor, program: ProgramSpec): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await supervisor.start(program);
    } catch (error) {
      const passing = /shared memory block|already exists/.test((error as Error).message);
      if (!passing || attempt === 20) {
        throw new Problem('database-unavailable', (error as Error).message, `its log lies beside its data`, {
          cause: error,
        });
      }
      await new Promise((again) => setTimeout(again, 250));
    }
  }
}

async function migrate(databaseUrl: string): Promise<void> {
  const env = { ...cleanEnvironment(), DATABASE_URL: databaseUrl };
  const [command, ...args] = [...typescript, 'prisma/migrate.ts'];
  const { code, stdout, stderr } = await runCommand(command!, args, { cwd: root, env });
  if (code !== 0)
    throw new Problem(
      'database-unavailable',
      `the database cannot be brought to this version: ${(stderr || stdout).trim()}`,
    );
}

/** What children inherit: the machine's settings (proxies, certificates, locale), none of the farm's. */
const cleanEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(RETRAIND?_|DATABASE_URL|REDIS_URL)/.test(entry[0]),
    ),
  );

async function startPrograms(
  options: EmbeddedFarmOptions,
  { databaseUrl, queueUrl }: DatabaseUrls,
  supervisor: Supervisor,
  logs: Logs,
  say: (line: string) => void,
): Promise<FarmClient> {
  const { data } = options;
  const token = await ensureToken(tokenFile(data));
  const redis = process.env.REDIS_URL;
  // The programs run in another folder.
  const policy = process.env.RETRAIND_POLICY && resolve(process.env.RETRAIND_POLICY);
  const artifacts = join(data, 'artifacts');
  const program = (
    name: string,
    app: string,
    env: Record<string, string | undefined>,
    readyWhen?: (line: string) => boolean,
  ): ProgramSpec => ({
    name,
    argv: [...typescript, `apps/${app}/src/main.ts`],
    cwd: root,
    env: {
      ...cleanEnvironment(),
      ...(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >),
    },
    readyWhen,
  });

  let address = '';
  const listening = (line: string): boolean => {
    address = line.match(/"address":"(http:[^"]+)"/)?.[1] ?? '';
    return address !== '';
  };
  const listen = options.listen ?? (await defaultOrFreePort(say));
  const api = program(
    'api',
    'api',
    {
      DATABASE_URL: databaseUrl,
      RETRAIND_LISTEN: listen,
      RETRAIND_ARTIFACTS: artifacts,
      RETRAIND_ADMIN_TOKEN_FILE: tokenFile(data),
      RETRAIND_POLICY: policy,
    },
    listening,
  );
  await supervisor.start(api).catch((error: Error) => {
    throw /port-in-use|EADDRINUSE/.test(error.message)
      ? new Problem(
          'port-in-use',
          `${listen} is taken by another program`,
          'give another address with --listen HOST:PORT; port 0 takes any free one',
        )
      : error;
  });
  // A restarted api must come back where the workers look for it, also when any port was asked for.
  api.env.RETRAIND_LISTEN = new URL(address).host;

  const client = new FarmClient(address, token);
  await supervisor.start(
    program(
      'scheduler',
      'scheduler',
      {
        DATABASE_URL: databaseUrl,
        REDIS_URL: redis,
        RETRAIND_ARTIFACTS: artifacts,
        RETRAIND_STATE: join(data, 'scheduler'),
        RETRAIND_OVERLAYS: join(root, 'recipes'),
        RETRAIND_SEED: options.seed,
        RETRAIND_POLICY: policy,
      },
      (line) => /"msg":"(listening|ready|leading)/.test(line),
    ),
  );

  const slots = options.slots ?? availableParallelism();
  const keyFile = join(data, 'node.key');
  const { publicKeyPem } = loadNodeKey(keyFile);
  const { devices } = await Inventory.open(machineInventory(openMachine()));
  await client.post('/api/v1/nodes', {
    publicKey: publicKeyPem,
    name: hostname(),
    class: nodeClass(machineName(), devices),
    slots,
  });
  for (let slot = 0; slot < slots; slot++) {
    const env = {
      RETRAIND_API: address,
      REDIS_URL: redis,
      RETRAIND_QUEUE_URL: redis ? undefined : queueUrl,
      RETRAIND_NODE_KEY_FILE: keyFile,
      RETRAIND_SLOT: String(slot),
      RETRAIND_WORK: join(data, 'work'),
      RETRAIND_SANDBOX: options.sandbox,
    };
    await supervisor.start(program(`worker-${slot}`, 'worker', env));
  }
  logs.write('farm', `${new Date().toISOString()} up at ${address} with ${slots} slots`);
  return client;
}

/** Debian's name of this machine's architecture. */
export const machineName = (): string =>
  ({ x64: 'amd64', arm64: 'arm64' })[process.arch as string] ?? process.arch;

async function ensureToken(path: string): Promise<string> {
  const old = await readFile(path, 'utf8').catch(() => '');
  if (old.trim() !== '') return old.trim();
  const token = randomBytes(32).toString('base64url');
  await replaceFile(path, `${token}\n`, 0o600);
  return token;
}

async function defaultOrFreePort(say: (line: string) => void): Promise<string> {
  const [host, port] = defaultListen.split(':') as [string, string];
  const isFree = await new Promise<boolean>((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen(Number(port), host, () => probe.close(() => answer(true)));
  });
  if (isFree) return defaultListen;
  say(`${defaultListen} is taken by another program: taking a free port`);
  return `${host}:0`;
}
