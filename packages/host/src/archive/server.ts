// The archive over plain HTTP: files below one folder, nothing else. apt checks signatures, so the transport needs none.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@retraind/shared/wire/problems';

export interface ArchiveServer {
  /** `http://127.0.0.1:1234` */
  address: string;
  close(): Promise<void>;
}

/** The file that a request names, or null: it must lie below the folder, links followed. */
const wantedFile = async (folder: string, url: string): Promise<string | null> => {
  let path: string;
  try {
    path = decodeURIComponent(url.split('?', 1)[0]!);
  } catch {
    return null;
  }
  if (path.includes('\0')) return null;
  const real = await realpath(join(folder, join('/', path))).catch(() => null);
  return real?.startsWith(folder + sep) ? real : null;
};

const answer = async (folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const path = await wantedFile(folder, request.url ?? '/');
  const found = path === null ? null : await stat(path);
  if (path === null || !found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  // No Last-Modified: its whole seconds would hide an archive published twice in one. apt asks again for InRelease only.
  response.writeHead(200, {
    'content-length': found.size,
    'content-type': 'application/octet-stream',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(path), response);
};

/** Serves `folder` (an archive's publicFolder) until closed. Port 0 takes any. */
export const serveArchive = async (folder: string, port = 0, host = '127.0.0.1'): Promise<ArchiveServer> => {
  const root = await realpath(folder);
  const server = createServer((request, response) => {
    answer(root, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL' || error.code === 'EACCES';
      reject(taken ? new Problem('port-in-use', `cannot listen on ${host}:${port}: ${error.code}`) : error);
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const named = host.includes(':') ? `[${host}]` : host;
  return {
    address: `http://${named}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
