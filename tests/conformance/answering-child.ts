// A worker process that answers rings and never finishes one: the queue's conformance suite kills it.
//   node --import tsx answering-child.ts WHERE-AS-JSON NODE-ID SLOT LOCK-MILLISECONDS
import { answerRings } from '../../apps/worker/src/queue/answer.ts';

const [where, nodeId, slot, lockMilliseconds] = process.argv.slice(2) as [string, string, string, string];
await answerRings({
  where: JSON.parse(where),
  nodeId,
  slot: Number(slot),
  lockMilliseconds: Number(lockMilliseconds),
  onTrouble: (error) => console.error(error.message),
  onRing: (ring) => {
    console.log(JSON.stringify(ring));
    return new Promise(() => undefined);
  },
  signal: new AbortController().signal,
});
console.log('listening');
