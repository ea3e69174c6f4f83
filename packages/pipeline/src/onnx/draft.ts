// An ONNX graph while it is drawn, layer after layer. tfjs keeps channels last (NHWC), ONNX's image operators want them right
// after the batch (NCHW): the draft remembers how the current value lies, and turns it only where a layer needs it otherwise.
import type * as tf from '@tensorflow/tfjs-core';
import onnxProto, { type onnx } from 'onnx-proto';
import { RecipeFault } from '../fault.ts';
import type { Activation } from '../layers/activation.ts';

// A CommonJS module whose names Node cannot tell in advance: only its default can be imported.
const { AttributeProto, TensorProto } = onnxProto.onnx;
const { FLOAT, INT8, INT64 } = TensorProto.DataType;
const { AttributeType } = AttributeProto;

/** Whole numbers, texts and lists of them; a fraction is given as { float }. */
export type Attribute = number | string | readonly number[] | readonly string[] | { float: number };

/**
 * How the weights lie in the file. `int8`: tensors of two axes and more as whole numbers -127 … 127 times one scale a tensor (its
 * largest magnitude / 127), turned back into float32 by DequantizeLinear when the model is run.
 */
export type WeightForm = 'float32' | 'int8';

/** A value between two layers. */
export interface Value {
  name: string;
  /** Of one record, channels last, whatever the layout. */
  shape: readonly number[];
  /** Whether it lies as [N, channels, …]; else as tfjs has it, [N, …, channels]. */
  channelsFirst?: boolean;
}

const operators: Record<Exclude<Activation, 'linear'>, string> = {
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softmax: 'Softmax',
};

function attribute(name: string, value: Attribute): onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: Buffer.from(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if (typeof value[0] === 'string') {
    return { name, type: AttributeType.STRINGS, strings: value.map((text) => Buffer.from(String(text))) };
  }
  return { name, type: AttributeType.INTS, ints: value as number[] };
}

/** Channels from the last axis to the one after the batch, or back, for a value of `rank` axes, the batch among them. */
export const turn = (rank: number, to: 'first' | 'last'): number[] => {
  const inner = Array.from({ length: rank - 2 }, (_, axis) => axis + (to === 'first' ? 1 : 2));
  return to === 'first' ? [0, rank - 1, ...inner] : [0, ...inner, 1];
};

export class Draft {
  readonly nodes: onnx.INodeProto[] = [];
  readonly tensors: onnx.ITensorProto[] = [];
  current: Value;
  readonly #values: ReadonlyMap<number, Float32Array>;
  readonly #form: WeightForm;

  /** `values`: of each weight, by its tensor id; an engine may give them only asynchronously, so they are read before. */
  constructor(input: Value, values: ReadonlyMap<number, Float32Array>, form: WeightForm) {
    this.current = input;
    this.#values = values;
    this.#form = form;
  }

  values(weight: tf.Tensor): Float32Array {
    return this.#values.get(weight.id)!;
  }

  /** A constant of float32, stored in the draft's form; answers its name. Throws a RecipeFault where a value is not finite. */
  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new RecipeFault(
        `value ${wrong} of ${name} is not finite`,
        'lower the learning rate: such a model is of no use',
      );
    }
    if (this.#form === 'int8' && dims.length >= 2) return this.#wholeNumbers(name, dims, values);
    return this.#floats(name, dims, values);
  }

  #floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    // ONNX: raw_data is little-endian, whatever the machine.
    const raw = new DataView(new ArrayBuffer(values.length * 4));
    for (let i = 0; i < values.length; i++) raw.setFloat32(4 * i, values[i]!, true);
    this.tensors.push({ name, dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(raw.buffer) });
    return name;
  }

  /** Source: ONNX operator DequantizeLinear, without a zero point: (x - 0) * scale. */
  #wholeNumbers(name: string, dims: readonly number[], values: Float32Array): string {
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    // A tensor of zeros has any scale.
    const scale = largest === 0 ? 1 : Math.fround(largest / 127);
    const whole = Int8Array.from(values, (value) => Math.max(-127, Math.min(127, Math.round(value / scale))));
    const stored = `${name}_int8`;
    this.tensors.push({
      name: stored,
      dims: [...dims],
      dataType: INT8,
      rawData: new Uint8Array(whole.buffer),
    });
    this.node(
      'DequantizeLinear',
      `${name}_dequantized`,
      [stored, this.#floats(`${name}_scale`, [], [scale])],
      [name],
    );
    return name;
  }

  /** A constant list of int64; answers its name. */
  integers(name: string, values: readonly number[]): string {
    const raw = new DataView(new ArrayBuffer(values.length * 8));
    for (const [i, value] of values.entries()) raw.setBigInt64(8 * i, BigInt(value), true);
    this.tensors.push({ name, dims: [values.length], dataType: INT64, rawData: new Uint8Array(raw.buffer) });
    return name;
  }

  /** A node between named values. */
  node(
    opType: string,
    name: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): void {
    this.nodes.push({
      name,
      opType,
      input: [...input],
      output: [...output],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
  }

  /** A node from the current value (and constants) to a new one, which is current then. */
  step(
    opType: string,
    name: string,
    constants: readonly string[],
    result: Value,
    attributes: Record<string, Attribute> = {},
  ): void {
    this.node(opType, name, [this.current.name, ...constants], [result.name], attributes);
    this.current = result;
  }

  /** An activation of the layer `name`; nothing for `linear`. */
  activate(activation: Activation, name: string): void {
    if (activation === 'linear') return;
    // In opset 13 and later Softmax goes over the axis -1 unless told.
    const axis = activation === 'softmax' && this.current.channelsFirst ? { axis: 1 } : undefined;
    this.step(
      operators[activation],
      `${name}_${activation}`,
      [],
      { ...this.current, name: `${name}_output` },
      axis,
    );
  }

  /** From here on the current value lies as [N, channels, …]. */
  channelsFirst(): void {
    this.#turn(true);
  }

  /** From here on the current value lies as tfjs has it. */
  channelsLast(): void {
    this.#turn(false);
  }

  /** Gives the current value its last name. */
  end(name: string): void {
    const last = this.current.name;
    const maker = this.nodes.find(({ output }) => output!.includes(last));
    if (!maker) {
      this.step('Identity', name, [], { ...this.current, name });
      return;
    }
    const renamed = (names: string[] | null | undefined) =>
      names!.map((each) => (each === last ? name : each));
    for (const node of this.nodes) {
      node.output = renamed(node.output);
      node.input = renamed(node.input);
    }
    this.current = { ...this.current, name };
  }

  #turn(first: boolean): void {
    const { name, shape, channelsFirst = false } = this.current;
    // A flat record lies one way only.
    if (channelsFirst === first || shape.length < 2) return;
    const to = first ? 'first' : 'last';
    const turned = { name: `${name}_channels_${to}`, shape, channelsFirst: first };
    this.step('Transpose', turned.name, [], turned, { perm: turn(shape.length + 1, to) });
  }
}
