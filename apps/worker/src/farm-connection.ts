// Signed requests from a node to the API. A request is tried again while the network or the API is away (every write is
// harmless to repeat: it carries its epoch, and an offset or a digest); each try is signed anew, for a nonce serves once.
import { createHash, randomBytes } from 'node:crypto';
import { nodeScheme, tokenLifeSeconds } from '@retraind/shared/attest/node-token';
import { protocol } from '@retraind/shared/node/protocol';
import { Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';
import { SignJWT } from 'jose';
import type { NodeKey } from './node-key.ts';

/** What this program calls itself. */
export const program = 'retraind-worker 0.1.0';

export interface FarmConnectionOptions {
  /** Root of the API, e.g. `http://127.0.0.1:8480`. */
  api: string;
  key: NodeKey;
  /** How long a farm that does not answer is asked again, before Problem `farm-unreachable`. */
  patienceSeconds?: number;
  signal?: AbortSignal;
}

export interface FarmRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Path with query. */
  path: string;
  json?: unknown;
  /** A body that is opened anew for each try; `sha256` is what the token binds. */
  stream?: { open: () => ReadableStream; sha256: string; bytes: number };
}

export interface FarmAnswer {
  response: Response;
  /** From 1; more than 1 means that an earlier try may have had its effect. */
  tries: number;
}

export type FarmConnection = (request: FarmRequest) => Promise<FarmAnswer>;

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 5_000;
/** Answers of a proxy or a starting farm: as good as no answer. */
const passing = new Set([429, 502, 503, 504]);

/** Opens nothing yet: a connection is the API's address, the node's key, and patience. */
export function farmConnection(options: FarmConnectionOptions): FarmConnection {
  const patience = (options.patienceSeconds ?? 60) * 1_000;
  return async (request) => {
    const deadline = performance.now() + patience;
    for (let tries = 1, pause = firstPauseMilliseconds; ; tries++, pause *= 2) {
      let fault: unknown;
      try {
        const response = await send(options, request);
        if (response.ok) return { response, tries };
        if (!passing.has(response.status)) throw await problemOf(response);
        fault = await problemOf(response);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (error instanceof Problem) throw Object.assign(error, { tries });
        fault = error;
      }
      const wait = Math.min(pause, longestPauseMilliseconds) * (0.5 + Math.random() / 2);
      if (performance.now() + wait > deadline) throw unreachable(options.api, fault);
      await sleep(wait, options.signal);
    }
  };
}

async function send(options: FarmConnectionOptions, request: FarmRequest): Promise<Response> {
  const json = request.json === undefined ? undefined : JSON.stringify(request.json);
  const bodySha256 =
    request.stream?.sha256 ??
    createHash('sha256')
      .update(json ?? '')
      .digest('hex');
  const token = await new SignJWT({
    nodeId: options.key.nodeId,
    method: request.method,
    path: request.path,
    bodySha256,
    nonce: randomBytes(16).toString('base64url'),
    protocol,
    program,
  })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuedAt()
    .setExpirationTime(`${tokenLifeSeconds}s`)
    .sign(options.key.privateKey);
  const headers: Record<string, string> = { authorization: `${nodeScheme} ${token}` };
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (request.stream) headers['content-type'] = 'application/octet-stream';
  return fetch(new URL(request.path, options.api), {
    method: request.method,
    headers,
    body: json ?? request.stream?.open(),
    // undici wants it said that the answer is not read before the request is sent whole.
    ...(request.stream && { duplex: 'half' as const }),
    redirect: 'error',
    signal: options.signal,
  });
}

/** The Problem that the API answered; a proxy's page becomes `farm-unreachable`. */
async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { type?: string; detail?: string; hint?: string };
    const code = body.type?.split('/').pop();
    if (code !== undefined && code in problemTable) {
      return new Problem(code as ProblemCode, body.detail ?? '', body.hint);
    }
  } catch {
    // No JSON: told below.
  }
  if (response.status === 404) return new Problem('not-found', `${response.url} does not exist on the farm.`);
  const start = JSON.stringify(text.slice(0, 200));
  return new Problem('farm-unreachable', `${response.url} answered ${response.status}: ${start}`);
}

function unreachable(api: string, fault: unknown): Problem {
  if (fault instanceof Problem) return fault;
  const cause = (fault as { cause?: { message?: string } }).cause?.message ?? String(fault);
  return new Problem('farm-unreachable', `The farm at ${api} does not answer: ${cause}`, undefined, {
    cause: fault,
  });
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
