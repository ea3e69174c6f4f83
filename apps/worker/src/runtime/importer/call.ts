// One node about to be computed: its inputs, what its attributes say, and what it may take.
import { permuted } from '@retraind/pipeline/onnx/permuted';
import * as tf from '@retraind/pipeline/tf';
import type { Attributes } from '../onnx/attributes.ts';
import { Unimportable } from './unimportable.ts';
import { floatType, type Held, type Live, live, shapeOf, sizeOf, type Value } from './value.ts';

/** Values of one tensor for the records of one batch: 256 MiB of float32. */
const maxValues = 2 ** 26;

/** Tensors made of constants, kept from one pass to the next, and the work of a pass. */
export class Session {
  /** Multiply-adds (elementwise: values) since it was set to 0. */
  work = 0;
  /** Values that a pass gave, all its tensors together. */
  values = 0;
  /** Beyond it a pass is given up: Unimportable. */
  maxWork = Number.POSITIVE_INFINITY;
  readonly #constants = new Map<object, Map<string, tf.Tensor>>();

  /** A tensor made of a constant, once for each `form`. */
  constant(of: object, form: string, make: () => { shape: number[]; values: Float32Array }): tf.Tensor {
    const known = this.#constants.get(of) ?? new Map<string, tf.Tensor>();
    this.#constants.set(of, known);
    const found = known.get(form);
    if (found) return found;
    const { shape, values } = make();
    const made = tf.keep(tf.tensor(values, shape, 'float32'));
    known.set(form, made);
    return made;
  }

  /** A constant that comes of no tensor of the file, once for each `form`. */
  derived(form: string, make: () => { shape: number[]; values: Float32Array }): tf.Tensor {
    return this.constant(this, form, make);
  }

  dispose(): void {
    for (const forms of this.#constants.values()) tf.dispose([...forms.values()]);
    this.#constants.clear();
  }
}

export class Call {
  /** The node's number in the graph. */
  readonly node: number;
  readonly operator: string;
  readonly attributes: Attributes;
  readonly opset: number;
  readonly inputs: readonly (Value | null)[];
  readonly session: Session;

  constructor(given: Pick<Call, 'node' | 'operator' | 'attributes' | 'opset' | 'inputs' | 'session'>) {
    this.node = given.node;
    this.operator = given.operator;
    this.attributes = given.attributes;
    this.opset = given.opset;
    this.inputs = given.inputs;
    this.session = given.session;
  }

  refuse(how = ''): Unimportable {
    return new Unimportable(`operator ${this.operator}${how === '' ? '' : ` ${how}`}`);
  }

  has(index: number): boolean {
    return (this.inputs[index] ?? null) !== null;
  }

  value(index: number): Value {
    const value = this.inputs[index] ?? null;
    if (value === null) throw this.refuse(`lacks input ${index + 1}`);
    return value;
  }

  /** An input that must not depend on the net's input. */
  held(index: number): Held {
    const value = this.value(index);
    if (value.kind !== 'held') throw this.refuse(`whose input ${index + 1} is computed`);
    return value;
  }

  /** An input as a tensor, whatever it is. */
  live(index: number): Live {
    const value = this.value(index);
    return value.kind === 'live' ? value : live(this.constant(value, value.shape));
  }

  /** A constant of float32 in this shape; before that, as `moved.shape` has it, its axes brought in the order of `moved`. */
  constant(
    of: Held,
    shape: readonly number[],
    moved?: { shape: readonly number[]; order: readonly number[] },
  ): tf.Tensor {
    if (of.type !== floatType) throw this.refuse(`on ONNX type ${of.type}`);
    return this.session.constant(of, JSON.stringify([shape, moved]), () => ({
      shape: [...shape],
      values: moved ? permuted(of.values, moved.shape, moved.order) : Float32Array.from(of.values),
    }));
  }

  /** The only element of a constant. */
  scalar(index: number): number {
    const { values } = this.held(index);
    if (values.length !== 1) throw this.refuse(`whose input ${index + 1} is no single number`);
    return values[0]!;
  }

  /** Whole numbers from an attribute, or from an input where newer operators have it. */
  integers(attribute: string, index: number): number[] | null {
    const said = this.attributes.numbers(attribute);
    if (said) return said;
    return this.has(index) ? Array.from(this.held(index).values) : null;
  }

  /** An axis, counted from the end where it is negative. */
  axis(given: number, rank: number): number {
    const axis = given < 0 ? given + rank : given;
    if (!(Number.isInteger(axis) && axis >= 0 && axis < rank))
      throw this.refuse(`over the axis ${given} of ${rank}`);
    return axis;
  }

  /** Before a result is made: whether it and its cost, a value so many multiply-adds, are within what is allowed. */
  claim(shape: readonly number[], each = 1): void {
    const values = sizeOf(shape);
    if (!(values > 0 && values <= maxValues)) throw this.refuse(`gives ${shape.join('x')} values`);
    this.session.values += values;
    this.session.work += values * each;
    if (!(this.session.work <= this.session.maxWork))
      throw new Unimportable(`two records take more than ${this.session.maxWork} multiply-adds`);
  }

  /** `axis`, as ONNX counts, where it lies. */
  place(value: Live, axis: number): number {
    return value.order.indexOf(this.axis(axis, shapeOf(value).length));
  }
}

/** Computes a node: its outputs in order. Throws Unimportable. */
export type Operator = (call: Call) => Value[];
