// What the attributes of a node say. Source: onnx.proto, message AttributeProto.
import { readTensor, type Tensor } from './tensor.ts';
import { bytesOf, fieldsOf, integersOf, textOf } from './wire.ts';

interface Said {
  numbers: number[];
  text: string | null;
  tensor: Tensor | null;
}

/** Little-endian float32 values, packed or one by one. */
const floatsOf = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
};

const read = (message: Uint8Array): { name: string; said: Said } => {
  const said: Said = { numbers: [], text: null, tensor: null };
  let name = '';
  for (const { number, value } of fieldsOf(message, 'an attribute')) {
    if (number === 1) name = textOf(value, 'an attribute');
    else if (number === 2 || number === 7) said.numbers.push(...floatsOf(bytesOf(value, 'an attribute')));
    else if (number === 3 || number === 8)
      for (const one of integersOf(value)) said.numbers.push(Number(one));
    else if (number === 4) said.text = textOf(value, 'an attribute');
    else if (number === 5) said.tensor = readTensor(bytesOf(value, 'a tensor'), 'a tensor');
  }
  return { name, said };
};

/** A node's attributes by name; each question says what ONNX takes where it is not said. Throws ModelFault. */
export class Attributes {
  readonly #said: ReadonlyMap<string, Said>;

  constructor(messages: readonly Uint8Array[]) {
    this.#said = new Map(messages.map((message) => read(message)).map(({ name, said }) => [name, said]));
  }

  has(name: string): boolean {
    return this.#said.has(name);
  }

  /** An integer or a float. */
  number(name: string, otherwise: number): number {
    return this.#said.get(name)?.numbers[0] ?? otherwise;
  }

  numbers(name: string): number[] | null {
    return this.#said.get(name)?.numbers ?? null;
  }

  text(name: string, otherwise: string): string {
    return this.#said.get(name)?.text ?? otherwise;
  }

  tensor(name: string): Tensor | null {
    return this.#said.get(name)?.tensor ?? null;
  }
}
