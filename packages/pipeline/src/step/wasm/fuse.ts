// Finds runs that follow one another and work element by element on one shape, and makes one run of each such chain.
import { type Along, emitters, type Group, type Operand } from './elementwise.ts';
import { sizeOf } from './heap.ts';
import { inputsOf, type KernelRun, type TensorUse } from './recording.ts';
import type { Work } from './simplify.ts';

/** How an input lies along the output's values; null where it is broadcast otherwise. */
function alongOf(input: TensorUse, shape: number[]): { along: Along; width: number } | null {
  const size = sizeOf(shape);
  const own = sizeOf(input.shape);
  if (own === 1) return { along: 'one', width: size };
  if (own === size) return { along: 'each', width: size };
  const tail = input.shape.slice(input.shape.findIndex((length) => length !== 1));
  if (tail.every((length, i) => length === shape[shape.length - tail.length + i])) {
    return { along: 'row', width: own };
  }
  // Lengths of 1 from some axis on, all others as in the output.
  const lengths = [...new Array(shape.length - input.shape.length).fill(1), ...input.shape];
  const head = lengths.findLastIndex((length) => length !== 1) + 1;
  const fits = lengths.slice(0, head).every((length, i) => length === shape[i]);
  return fits ? { along: 'column', width: sizeOf(shape.slice(head)) } : null;
}

interface Part {
  run: KernelRun;
  operands: Operand[];
  /** Values of a row, where an operand is a row or a column; else null. */
  width: number | null;
  /** Inputs that are masks: they exist inside of a chain only. */
  masks: number[];
}

/** A run that can be part of a chain. */
function partOf(run: KernelRun, root: Work['root']): Part | null {
  const known = emitters[run.name];
  const [output] = run.outputs;
  if (!known || run.outputs.length !== 1 || sizeOf(output!.shape) === 0) return null;
  if (output!.dtype !== (known.makesMask ? 'bool' : 'float32')) return null;
  const named = run.inputs as Record<string, TensorUse | null>;
  const operands: Operand[] = [];
  const masks: number[] = [];
  let width: number | null = null;
  for (const name of known.inputs) {
    const input = named[name];
    const isMask = known.takesMasks?.includes(name);
    if (input?.dtype !== (isMask ? 'bool' : 'float32')) return null;
    if (isMask) masks.push(root(input.data));
    const along = alongOf(input, output!.shape);
    if (along === null) return null;
    operands.push({ data: root(input.data), along: along.along });
    if (along.along === 'one' || along.along === 'each') continue;
    if (width !== null && width !== along.width) return null;
    width = along.width;
  }
  return { run, operands, width, masks };
}

/** Parameters of a function beyond some tens cost more than they save. */
const mostOperands = 24;

export function fuse(work: Work): Work {
  const { root } = work;
  const runs: KernelRun[] = [];
  let chain: Part[] = [];
  const users = new Map<number, KernelRun[]>();
  for (const run of work.runs) {
    for (const { data } of inputsOf(run)) users.set(root(data), [...(users.get(root(data)) ?? []), run]);
  }
  const wanted = new Set([root(work.result.data), ...work.written.values()]);
  const close = (): void => {
    if (chain.length > 0) runs.push(...chained(chain, root, users, wanted));
    chain = [];
  };
  for (const run of work.runs) {
    const part = partOf(run, root);
    if (part !== null && joins(chain, part)) {
      chain.push(part);
      continue;
    }
    // A mask must be made in the chain that uses it.
    const carried = part === null ? [] : chain.splice(firstMaker(chain, part));
    close();
    chain = carried;
    if (part !== null && !joins(chain, part)) close();
    if (part !== null && joins(chain, part)) chain.push(part);
    else {
      close();
      runs.push(run);
    }
  }
  close();
  return { ...work, runs };
}

/** From where on a chain makes the masks that a part takes, and those that these are made of. */
function firstMaker(chain: Part[], part: Part): number {
  const needed = new Set(part.masks);
  let first = chain.length;
  for (const [at, { run, masks }] of [...chain.entries()].reverse()) {
    if (!needed.has(run.outputs[0]!.data)) continue;
    first = at;
    for (const data of masks) needed.add(data);
  }
  return first;
}

function joins(chain: Part[], part: Part): boolean {
  if (!part.masks.every((data) => chain.some(({ run }) => run.outputs[0]!.data === data))) return false;
  const [first] = chain;
  if (!first) return true;
  if (sizeOf(first.run.outputs[0]!.shape) !== sizeOf(part.run.outputs[0]!.shape)) return false;
  if (
    new Set([...chain, part].flatMap(({ operands }) => operands.map(({ data }) => data))).size > mostOperands
  ) {
    return false;
  }
  const widths = new Set([...chain, part].flatMap(({ width }) => width ?? []));
  if (widths.size > 1) return false;
  // Data that one part reads as a row and another one value by value, say.
  const seen = new Map<number, Along>();
  return [...chain, part].every(({ operands, run }) => {
    const agree = operands.every(({ data, along }) => (seen.get(data) ?? along) === along);
    for (const { data, along } of operands) seen.set(data, along);
    seen.set(run.outputs[0]!.data, sizeOf(run.outputs[0]!.shape) === 1 ? 'one' : 'each');
    return agree;
  });
}

function chained(
  chain: Part[],
  root: Work['root'],
  users: Map<number, KernelRun[]>,
  wanted: Set<number>,
): KernelRun[] {
  const inside = new Set(chain.map(({ run }) => run));
  const made = new Set(chain.map(({ run }) => root(run.outputs[0]!.data)));
  const needed = chain
    .map(({ run }) => run.outputs[0]!)
    .filter(({ data }) => wanted.has(root(data)) || users.get(root(data))?.some((run) => !inside.has(run)));
  // A mask that others need as bytes of 0 and 1.
  if (needed.some(({ dtype }) => dtype === 'bool')) return chain.map(({ run }) => run);
  const operands = new Map<number, Operand>();
  const uses: TensorUse[] = [];
  for (const { run, operands: given } of chain) {
    const tensors = new Map(inputsOf(run).map((use) => [root(use.data), use]));
    for (const operand of given) {
      if (made.has(operand.data) || operands.has(operand.data)) continue;
      operands.set(operand.data, operand);
      uses.push(tensors.get(operand.data)!);
    }
  }
  const size = sizeOf(chain[0]!.run.outputs[0]!.shape);
  const width = chain.find((part) => part.width !== null)?.width ?? size;
  const group: Group = {
    width,
    rows: size / width,
    operands: [...operands.values()],
    steps: chain.map(({ run, operands: given }) => ({
      kernel: run.name,
      attrs: run.attrs,
      args: given.map(({ data }) => data),
      out: root(run.outputs[0]!.data),
    })),
    outputs: needed.map(({ data }) => root(data)),
  };
  const run = {
    ...chain[0]!.run,
    name: chain.map(({ run }) => run.name).join(' '),
    inputs: uses,
    attrs: {},
    outputs: needed,
    made: group.outputs,
    calls: [],
    group,
  };
  return [run];
}
