// The farm over HTTP, as one leased run sees it. Log and metrics go in order, each chunk with its byte offset, so that a
// chunk sent twice counts once.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Assignment, HeartbeatAnswer } from '@retraind/shared/wire/messages';
import type { Node, NodeEnrolment, NodeReport } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import type { FarmClient } from './farm-client.ts';
import { type FarmConnection, type FarmConnectionOptions, farmConnection } from './farm-connection.ts';

export interface HttpFarmOptions extends FarmConnectionOptions {
  runId: string;
  leaseEpoch: number;
}

/** Longest text of one chunk in UTF-16 units; the API allows 262,144. */
const chunkLength = 131_072;

/** The farm for one lease. Problems `lease-lost` and `not-your-run` mean: stop, and tell nothing more. */
export function httpFarmClient(options: HttpFarmOptions): FarmClient {
  const { runId, leaseEpoch } = options;
  const ask = farmConnection(options);
  const run = `/api/v1/runs/${runId}`;
  const post = async (deed: string, body: object) =>
    (await ask({ method: 'POST', path: `${run}/${deed}`, json: { leaseEpoch, ...body } })).response;
  const log = chunkSender((chunk) => post('log', chunk));
  const metrics = chunkSender((chunk) => post('metrics', chunk));

  return {
    async takeAssignment() {
      const path = `${run}/assignment?leaseEpoch=${leaseEpoch}`;
      const { response } = await ask({ method: 'GET', path });
      return (await response.json()) as Assignment;
    },
    async heartbeat(beat) {
      return (await (await post('heartbeat', beat)).json()) as HeartbeatAnswer;
    },
    async tellRecipe(found) {
      await post('recipe', found);
    },
    appendLog: log,
    appendMetrics: metrics,
    putArtifact: (path) => putArtifact(ask, path, `runId=${runId}&leaseEpoch=${leaseEpoch}`),
    getArtifact: (sha256, path) => getArtifact(ask, sha256, path),
    async keepCheckpoint(sha256) {
      await post('checkpoint', { sha256 });
    },
    async report(outcome) {
      await Promise.all([log(''), metrics('')]);
      try {
        await post('report', { outcome });
      } catch (error) {
        // The answer to an earlier try may have been lost after the farm had recorded it.
        const triedBefore = ((error as { tries?: number }).tries ?? 1) > 1;
        if (!triedBefore || !(error instanceof Problem) || error.code !== 'lease-lost') throw error;
        const { response } = await ask({ method: 'GET', path: run });
        const told = (await response.json()) as { leases: Array<Record<string, unknown>> };
        const mine = told.leases.find((lease) => lease.leaseEpoch === leaseEpoch);
        if (mine?.nodeId !== options.key.nodeId || mine?.outcome !== outcome.kind) throw error;
      }
    },
  };
}

/** Tells the farm what this node has and how it is (`POST /api/v1/nodes/self`). */
export async function tellSelf(options: FarmConnectionOptions, report: NodeReport): Promise<void> {
  await farmConnection(options)({ method: 'POST', path: '/api/v1/nodes/self', json: report });
}

/** Asks the farm to take this machine for a node (`POST /api/v1/nodes/enrol`). */
export async function askToServe(options: FarmConnectionOptions, enrolment: NodeEnrolment): Promise<Node> {
  const { response } = await farmConnection(options)({
    method: 'POST',
    path: '/api/v1/nodes/enrol',
    json: enrolment,
  });
  return (await response.json()) as Node;
}

/** Sends texts one after the other; an empty text only waits for those before it. */
function chunkSender(send: (chunk: { offset: number; text: string }) => Promise<unknown>) {
  let offset = 0;
  let last: Promise<void> = Promise.resolve();
  return (text: string): Promise<void> => {
    // A chunk that failed for good leaves a hole, which the API would refuse to skip: the lease is over then.
    const sending = last.then(async () => {
      for (let start = 0; start < text.length; ) {
        const end = wholeCharacters(text, start + chunkLength);
        const part = text.slice(start, end);
        await send({ offset, text: part });
        offset += Buffer.byteLength(part);
        start = end;
      }
    });
    last = sending;
    sending.catch(() => {});
    return sending;
  };
}

/** Never ends between the two halves of a surrogate pair. */
const wholeCharacters = (text: string, end: number): number =>
  end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end;

async function putArtifact(ask: FarmConnection, path: string, lease: string) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest('hex');
  const bytes = (await stat(path)).size;
  const address = `/api/v1/artifacts/${sha256}`;
  try {
    await ask({ method: 'HEAD', path: address });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not-found') throw error;
    const open = () => Readable.toWeb(createReadStream(path)) as ReadableStream;
    await ask({ method: 'PUT', path: `${address}?${lease}`, stream: { open, sha256, bytes } });
  }
  return { sha256, bytes };
}

async function getArtifact(ask: FarmConnection, sha256: string, path: string): Promise<void> {
  const { response } = await ask({ method: 'GET', path: `/api/v1/artifacts/${sha256}` });
  const draft = `${path}.${process.pid}.part`;
  const hash = createHash('sha256');
  try {
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
    body.on('data', (bytes: Buffer) => hash.update(bytes));
    await pipeline(body, createWriteStream(draft, { flags: 'w' }));
    const got = hash.digest('hex');
    if (got !== sha256) {
      throw new Problem('digest-mismatch', `The artifact ${sha256} came with the digest ${got}.`);
    }
    const file = await open(draft, 'r');
    await file.sync().finally(() => file.close());
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
