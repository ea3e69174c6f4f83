// A Redis of a test's own, on loopback with a password. The farm's tests run on both queue backends; this is the second.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { type ProvidedTool, provideTool } from './tool.ts';

export interface TestRedis {
  /** As REDIS_URL takes it. */
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** The server, or why there can be none here. */
export const provideRedis = (): Promise<ProvidedTool> => provideTool('redis-server');

/** A port of loopback that nobody has at this moment. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

/** Starts a Redis for the tests of a file; it stops after the last one. */
export const withRedis = async (program: string): Promise<TestRedis> => {
  const redis = await startRedis(program);
  after(redis.stop);
  return redis;
};

/** Starts a Redis that dies with this process. */
export const startRedis = async (program: string): Promise<TestRedis> => {
  const folder = await mkdtemp('/tmp/retraind-redis-');
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  const options = Object.entries({
    port,
    bind: '127.0.0.1',
    requirepass: password,
    dir: folder,
    save: '',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code} before it was ready`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `redis://:${password}@127.0.0.1:${port}`, pid: child.pid!, stop };
};
