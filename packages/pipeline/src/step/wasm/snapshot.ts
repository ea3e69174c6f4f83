// The bytes of variables at one moment, to compare a replay with the step as it was recorded.
import type * as tf from '@tensorflow/tfjs-core';
import { NotReplayable } from '../not-replayable.ts';
import { bytesOf, type HeapBackend } from './heap.ts';

export type Snapshot = Map<tf.Variable, Uint8Array>;

export const snapshot = (backend: HeapBackend, variables: Iterable<tf.Variable>): Snapshot =>
  new Map([...variables].map((each) => [each, bytesOf(backend, backend.dataIdMap.get(each.dataId))]));

/** Bit for bit; a NaN equals any NaN, since wasm leaves their bits open. */
export function sameValues(expected: Uint8Array, found: Uint8Array): boolean {
  if (Buffer.compare(expected, found) === 0) return true;
  if (expected.length !== found.length || expected.length % 4 !== 0) return false;
  const [a, b] = [expected, found].map(
    ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4),
  );
  return a!.every((value, i) => Object.is(value, b![i]));
}

/** Throws NotReplayable where a replay left or answered other values. */
export function compare(expected: Snapshot, found: Snapshot, answer: Uint8Array, answered: Uint8Array): void {
  const other = [...expected].find(([variable, bytes]) => !sameValues(bytes, found.get(variable)!));
  if (other)
    throw new NotReplayable(`the replay leaves other values in ${other[0].name} than the step itself`);
  if (!sameValues(answer, answered))
    throw new NotReplayable('the replay answers other values than the step itself');
}
