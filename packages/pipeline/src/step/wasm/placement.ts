// Decides where the data of a recorded function lie: at a variable's home, among the constants, or in the arena for a while.
import type * as tf from '@tensorflow/tfjs-core';
import type { Constants } from './constants.ts';
import { widthOf } from './heap.ts';
import type { Lowered } from './lower.ts';
import { type Block, plan } from './memory-plan.ts';
import { inputsOf, type KernelRun } from './recording.ts';
import type { Work } from './simplify.ts';

export interface Step {
  run: KernelRun;
  lowered: Lowered;
}

/** An offset in the arena or among the constants, or a variable's home. */
export type Place = { arena: number } | { variable: tf.Variable } | { constant: number };

export interface Placement {
  places: Map<number, Place>;
  result: Place;
  /** Offset of each step's scratch memory in the arena. */
  scratch: number[];
  arenaBytes: number;
  /** New values that are made elsewhere and brought home after the last step, in this order. */
  moves: { from: Place; to: Place; bytes: number }[];
}

export function place(work: Work, steps: readonly Step[], constants: Constants): Placement {
  const { stored, root } = work;
  const bytesOf = (data: number): number => stored[data]!.size * widthOf(stored[data]!.dtype);
  const lastUse = lastUses(work, steps);
  const atHome = writtenInPlace(work, steps, lastUse);
  const places = new Map<number, Place>();
  // Blocks, and what to tell of each one's offset.
  const blocks: Block[] = [];
  const spots = new Map<Place, Block>();
  const told: ((offset: number) => void)[] = [];
  const inArena = (bytes: number, from: number, to: number): Place & { arena: number } => {
    const spot = { arena: 0 };
    const block = { bytes, from, to };
    spots.set(spot, block);
    blocks.push(block);
    told.push((offset) => {
      spot.arena = offset;
    });
    return spot;
  };
  /** The block of an input that ends with this step, of the same size, where the step may write over it. */
  const inheritance = (data: number, at: number): { block: Block; spot: Place } | null => {
    const step = steps[at];
    if (!step?.run.outputs.some((output) => root(output.data) === data)) return null;
    for (const use of inputsOf(step.run)) {
      const input = root(use.data);
      const spot = places.get(input);
      const block = spot && spots.get(spot);
      if (!block || block.to !== at || block.bytes !== bytesOf(data)) continue;
      if (step.lowered.overwrites(input)) return { block, spot };
    }
    return null;
  };
  const settle = (data: number, from: number): Place => {
    const known = places.get(data);
    if (known) return known;
    const { origin } = stored[data]!;
    const to = lastUse.get(data) ?? from;
    const spot = ((): Place => {
      if (origin.kind === 'variable') return { variable: origin.variable };
      if (origin.kind === 'constant') {
        return {
          constant: work.rates.has(data) ? constants.addOwn(origin.bytes) : constants.add(origin.bytes),
        };
      }
      const home = atHome.get(data);
      if (home) return { variable: home };
      const heir = origin.kind === 'made' ? inheritance(data, from) : null;
      if (heir !== null) {
        heir.block.to = to;
        return heir.spot;
      }
      return inArena(bytesOf(data), origin.kind === 'input' ? -1 : from, to);
    })();
    places.set(data, spot);
    return spot;
  };
  const scratch = steps.map(({ run, lowered }, at) => {
    for (const { data } of inputsOf(run)) settle(root(data), at);
    for (const data of run.made) settle(root(data), at);
    return lowered.scratchBytes === 0 ? { arena: 0 } : inArena(lowered.scratchBytes, at, at);
  });
  let result = settle(work.result.data, steps.length);
  const moves: Placement['moves'] = [];
  if ('variable' in result && work.written.has(result.variable)) {
    const aside = inArena(bytesOf(work.result.data), steps.length, steps.length + 1);
    moves.push({ from: result, to: aside, bytes: bytesOf(work.result.data) });
    result = aside;
  }
  for (const [variable, data] of work.written) {
    if (atHome.get(data) === variable) continue;
    const bytes = bytesOf(data);
    let from = settle(data, steps.length);
    if ('variable' in from) {
      // Another variable's value, which may itself be overwritten by a move: all of these are put aside first.
      const aside = inArena(bytes, steps.length, steps.length + 1);
      moves.unshift({ from, to: aside, bytes });
      from = aside;
    }
    moves.push({ from, to: { variable }, bytes });
  }
  const { offsets, bytes: arenaBytes } = plan(blocks);
  offsets.forEach((offset, i) => {
    told[i]!(offset);
  });
  return { places, result, scratch: scratch.map(({ arena }) => arena), arenaBytes, moves };
}

/** The last moment at which each of the data is read; the steps' count stands for the end. */
function lastUses({ root, result, written }: Work, steps: readonly Step[]): Map<number, number> {
  const last = new Map<number, number>();
  for (const [at, { run }] of steps.entries()) {
    for (const { data } of inputsOf(run)) last.set(root(data), at);
  }
  for (const data of [result.data, ...written.values()]) last.set(data, steps.length + 1);
  return last;
}

/**
 * The data that can be made at a variable's home straight away: nobody reads the variable's old value after they are made.
 */
function writtenInPlace(
  { stored, root, written }: Work,
  steps: readonly Step[],
  lastUse: Map<number, number>,
): Map<number, tf.Variable> {
  const old = new Map<tf.Variable, number>();
  for (const [data, { origin }] of stored.entries()) {
    if (origin.kind === 'variable') old.set(origin.variable, data);
  }
  const makers = new Map<number, number>();
  for (const [at, { run }] of steps.entries()) for (const { data } of run.outputs) makers.set(root(data), at);
  const atHome = new Map<number, tf.Variable>();
  for (const [variable, data] of written) {
    const maker = makers.get(data);
    if (maker === undefined || stored[data]!.origin.kind !== 'made' || atHome.has(data)) continue;
    const last = lastUse.get(old.get(variable) ?? -1) ?? -1;
    if (last < maker || (last === maker && steps[maker]!.lowered.overwrites(old.get(variable)!))) {
      atHome.set(data, variable);
    }
  }
  return atHome;
}
