// One install at a time for a folder. An abstract socket goes with its process, however that ends: no stale lock.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const retryMs = 500;

const bind = (name: string): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(`\0retraind-install-${name}`, () => resolve(server));
  });

/** Waits until no other process of this machine holds `path`, then runs `work` alone. */
export async function alone<T>(path: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 32);
  let server = await bind(name);
  if (server === null) waiting();
  while (server === null) {
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    server = await bind(name);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
