// From two recordings of the same code to nodes of a graph. What stayed the same is the graph; what differs in step with the
// learning rate becomes a variable; anything else that differs cannot be replayed.
import { NotReplayable } from '../not-replayable.ts';
import { recipeLine } from '../recipe-line.ts';
import { type AttributeKinds, attributesOf } from './attributes.ts';
import type { Constant, RecordedOp, Recording } from './recorder.ts';
import type { GraphNode } from './saved-model.ts';

/** One recording, and what its ids stand for. */
export interface Pass {
  recording: Recording;
  /** Names of the graph's outputs that hold inputs and variables, by the id that they had when it began. */
  sources: Map<number, string>;
  /** The id that holds the answer. */
  answer: number;
  /** The id that each variable which was assigned to has in the end, by the variable's index. */
  written: Map<number, number>;
  /** The learning rate that it was recorded with. */
  rate: number;
}

export interface Lowered {
  nodes: GraphNode[];
  /** `name:output` of the answer. */
  answer: string;
  /** `name:output` of what each variable gets, by the variable's index. */
  written: Map<number, string>;
  /** The sources that are needed: of inputs, variables, multiples of the rate. */
  used: Set<string>;
}

export interface Names {
  /** Before the name of every node. */
  prefix: string;
  /** Name of the output that holds the learning rate times `factor`. */
  rate(factor: number): string;
}

/** float32 rounds a product to within this share. */
const rounding = 2e-7;

/** By what the learning rate was multiplied to give both values; null where they do not follow from it. */
function rateFactor(first: Constant, second: Constant, rates: [number, number]): number | null {
  if (first.shape.length > 0 || !(first.values instanceof Float32Array)) return null;
  const values = [first.values[0]!, (second.values as Float32Array)[0]!];
  for (const factor of [1, -1]) {
    if (values.every((value, i) => value === Math.fround(factor * rates[i]!))) return factor;
  }
  const [factor, other] = values.map((value, i) => value / rates[i]!);
  return Math.abs(factor! - other!) <= rounding * Math.abs(factor!) ? factor! : null;
}

const bytesOf = ({ values }: Constant): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const sameConstant = (first: Constant, second: Constant): boolean =>
  first.dtype === second.dtype &&
  String(first.shape) === String(second.shape) &&
  Buffer.compare(bytesOf(first), bytesOf(second)) === 0;

/** What each id of a pass is, in words that both passes share. */
function roles({ recording, sources }: Pass): (id: number) => string {
  const made = new Map<number, string>();
  for (const [index, op] of recording.ops.entries()) {
    for (const [at, { id }] of op.outputs.entries()) made.set(id, `${index}:${at}`);
  }
  return (id) => made.get(id) ?? sources.get(id) ?? 'constant';
}

const where = (op: RecordedOp): string => `${op.name}${recipeLine(op.site)}`;

/** Throws NotReplayable, with the operation's name, where the two passes did not do the same operations. */
function compare(first: Pass, second: Pass): void {
  const [one, other] = [roles(first), roles(second)];
  const [ops, others] = [first.recording.ops, second.recording.ops];
  for (let i = 0; i < Math.max(ops.length, others.length); i++) {
    const [a, b] = [ops[i], others[i]];
    const same =
      a?.name === b?.name &&
      JSON.stringify(a!.attributes) === JSON.stringify(b!.attributes) &&
      String(a!.inputs.map(one)) === String(b!.inputs.map(other));
    if (same) continue;
    const [there, instead] = a ? [where(a), b ? where(b) : 'nothing'] : ['nothing', where(b!)];
    throw new NotReplayable(
      `the step does not do the same at each call: operation ${i + 1} is ${there}, then ${instead}`,
    );
  }
  const ends = ({ answer, written }: Pass, role: (id: number) => string) =>
    String([role(answer), ...[...written].map(([variable, id]) => `${variable} ${role(id)}`)]);
  if (ends(first, one) !== ends(second, other)) {
    throw new NotReplayable('the step does not assign the same results to the same variables at each call');
  }
}

/** The operations, by index, that the answer or a variable needs: gradients of inputs, for one, are made and thrown away. */
function neededOps(
  { recording, answer, written }: Pass,
  madeBy: ReadonlyMap<number, { index: number }>,
): Set<number> {
  const needed = new Set<number>();
  const need = (id: number): void => {
    const op = madeBy.get(id);
    if (op) needed.add(op.index);
  };
  [answer, ...written.values()].forEach(need);
  for (let index = recording.ops.length - 1; index >= 0; index--) {
    if (needed.has(index)) recording.ops[index]!.inputs.forEach(need);
  }
  return needed;
}

/** The nodes that answer and variables need, of code that was recorded twice. Throws NotReplayable where it cannot be replayed. */
export function lowered(first: Pass, second: Pass, names: Names, kinds: AttributeKinds): Lowered {
  compare(first, second);
  const { recording, sources } = first;
  const madeBy = new Map<number, { index: number; at: number }>();
  for (const [index, op] of recording.ops.entries()) {
    for (const [at, { id }] of op.outputs.entries()) madeBy.set(id, { index, at });
  }
  const nodes: GraphNode[] = [];
  const used = new Set<string>();
  const constants = new Map<string, string>();

  const constantNode = (id: number, other: number, at: string): string => {
    const [a, b] = [first.recording.constants.get(id)!, second.recording.constants.get(other)!];
    if (!sameConstant(a, b)) {
      const factor = rateFactor(a, b, [first.rate, second.rate]);
      if (factor === null) {
        throw new NotReplayable(
          `the step gives ${at} another value at each call, made outside of TensorFlow`,
        );
      }
      const source = names.rate(factor);
      used.add(source);
      return source;
    }
    const content = bytesOf(a);
    const key = `${a.dtype} ${a.shape} ${content.length > 64 ? id : Buffer.from(content).toString('hex')}`;
    let name = constants.get(key);
    if (!name) {
      name = `${names.prefix}c${constants.size}`;
      constants.set(key, name);
      nodes.push({
        name,
        op: 'Const',
        inputs: [],
        attributes: {
          dtype: { kind: 'type', value: a.dtype },
          value: { kind: 'tensor', value: { dtype: a.dtype, shape: a.shape, content } },
        },
      });
    }
    return `${name}:0`;
  };
  const reference = (id: number, other: number, at: string): string => {
    const op = madeBy.get(id);
    if (op) return `${names.prefix}n${op.index}:${op.at}`;
    const source = sources.get(id);
    if (source !== undefined) {
      used.add(source);
      return source;
    }
    if (!first.recording.constants.has(id) || !second.recording.constants.has(other)) {
      throw new NotReplayable(`the step gives ${at} a tensor that no operation of it has seen`);
    }
    return constantNode(id, other, at);
  };
  const needed = neededOps(first, madeBy);
  // Forwards, so that a message names the first operation that is given something else.
  for (const [index, op] of recording.ops.entries()) {
    if (!needed.has(index)) continue;
    const others = second.recording.ops[index]!.inputs;
    nodes.push({
      name: `${names.prefix}n${index}`,
      op: op.name,
      inputs: op.inputs.map((id, i) => reference(id, others[i]!, where(op))),
      attributes: attributesOf(op, kinds),
    });
  }
  const answer = reference(first.answer, second.answer, 'its answer');
  const written = new Map(
    [...first.written].map(([variable, id]) => [
      variable,
      reference(id, second.written.get(variable)!, 'a variable'),
    ]),
  );
  return { nodes, answer, written, used };
}
