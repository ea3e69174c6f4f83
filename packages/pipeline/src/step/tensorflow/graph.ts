// One graph of several functions over the same variables. Every value that outlives a call lies in a cell: a variable of the
// recipe, an optimizer's slot, a held set, a multiple of the learning rate.
import type { Lowered } from './lowering.ts';
import { type Attribute, dtypes, type GraphNode } from './saved-model.ts';

export interface Cell {
  /** Name of its node. */
  name: string;
  dtype: number;
  shape: number[];
}

/** How a function gets one of its inputs. */
export interface Input {
  /** Name of the output that holds it, without its number. */
  name: string;
  dtype: number;
  shape: number[];
  /** The cell whose rows are named, where row numbers are fed. */
  rowsOf: Cell | null;
}

export interface GraphFunction {
  prefix: string;
  inputs: Input[];
  lowered: Lowered;
  /** Of its answer. */
  dtype: number;
}

const type = (value: number): Attribute => ({ kind: 'type', value });
const shape = (value: number[]): Attribute => ({ kind: 'shape', value });
const text = (value: string): Attribute => ({ kind: 'string', value });
const int = (value: number): Attribute => ({ kind: 'int', value });

const node = (
  name: string,
  op: string,
  inputs: string[],
  attributes: Record<string, Attribute>,
): GraphNode => ({ name, op, inputs, attributes });

const scalar = (name: string, value: number, after: string[]): GraphNode =>
  node(name, 'Const', after, {
    dtype: type(dtypes.int32),
    value: {
      kind: 'tensor',
      value: { dtype: dtypes.int32, shape: [], content: new Uint8Array(new Int32Array([value]).buffer) },
    },
  });

const placeholder = (name: string, of: { dtype: number; shape: number[] }): GraphNode =>
  node(name, 'Placeholder', [], { dtype: type(of.dtype), shape: shape(of.shape) });

const read = (name: string, cell: Cell): GraphNode =>
  node(name, 'ReadVariableOp', [`${cell.name}:0`], { dtype: type(cell.dtype) });

const assign = (name: string, cell: Cell, value: string, after: string[]): GraphNode =>
  node(name, 'AssignVariableOp', [`${cell.name}:0`, value, ...after], {
    dtype: type(cell.dtype),
    validate_shape: { kind: 'bool', value: false },
  });

/** The names by which a cell is filled (feed `value`, fetch `filled`) and read (fetch `content`). */
export const cellNames = ({ name }: Cell) => ({
  value: `${name}/value:0`,
  filled: `${name}/filled:0`,
  content: `${name}/content:0`,
});

const cellNodes = (cell: Cell): GraphNode[] => [
  node(cell.name, 'VarHandleOp', [], {
    container: text(''),
    shared_name: text(cell.name),
    dtype: type(cell.dtype),
    shape: shape(cell.shape),
  }),
  placeholder(`${cell.name}/value`, cell),
  assign(`${cell.name}/assign`, cell, `${cell.name}/value:0`, []),
  scalar(`${cell.name}/filled`, 1, [`^${cell.name}/assign`]),
  read(`${cell.name}/content`, cell),
];

/** Name of the output that holds a cell's content as it was before the function began. */
export const cellSource = (prefix: string, cell: Cell): string => `${prefix}${cell.name}:0`;
export const inputSource = ({ name }: Input): string => `${name}:0`;

/** The name by which an input is fed. */
export const feedName = ({ name, rowsOf }: Input): string => `${name}${rowsOf ? '/rows' : ''}:0`;
/** The name by which a function's answer is fetched. */
export const answerName = ({ prefix }: GraphFunction): string => `${prefix}answer:0`;

function inputNodes(input: Input): GraphNode[] {
  const { name, dtype, rowsOf } = input;
  if (rowsOf === null) return [placeholder(name, input)];
  return [
    placeholder(`${name}/rows`, { dtype: dtypes.int32, shape: input.shape.slice(0, 1) }),
    scalar(`${name}/axis`, 0, []),
    read(`${name}/set`, rowsOf),
    node(name, 'GatherV2', [`${name}/set:0`, `${name}/rows:0`, `${name}/axis:0`], {
      Tparams: type(dtype),
      Tindices: type(dtypes.int32),
      Taxis: type(dtypes.int32),
      batch_dims: int(0),
    }),
  ];
}

function functionNodes(fn: GraphFunction, { variables, others }: Cells): GraphNode[] {
  const { prefix, inputs, lowered } = fn;
  const isUsed = (cell: Cell): boolean => lowered.used.has(cellSource(prefix, cell));
  const cells = [...variables.values(), ...others].filter(isUsed);
  const writes = [...lowered.written].map(([index, value]) => {
    const cell = variables.get(index)!;
    // A variable is read before it changes.
    const after = isUsed(cell) ? [`^${prefix}${cell.name}`] : [];
    return assign(`${prefix}${cell.name}/assign`, cell, value, after);
  });
  return [
    ...inputs.filter((input) => lowered.used.has(inputSource(input))).flatMap((input) => inputNodes(input)),
    ...cells.map((cell) => read(`${prefix}${cell.name}`, cell)),
    ...lowered.nodes,
    ...writes,
    // Only outputs can be asked for: whoever fetches the answer waits for the variables too.
    node(`${prefix}answer`, 'Identity', [lowered.answer, ...writes.map(({ name }) => `^${name}`)], {
      T: type(fn.dtype),
    }),
  ];
}

export interface Cells {
  /** By the index that `written` names them by. */
  variables: Map<number, Cell>;
  /** Sets and rates. */
  others: Cell[];
}

export function graphNodes(functions: GraphFunction[], cells: Cells): GraphNode[] {
  return [
    ...[...cells.variables.values(), ...cells.others].flatMap(cellNodes),
    ...functions.flatMap((fn) => functionNodes(fn, cells)),
  ];
}
