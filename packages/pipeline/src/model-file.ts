// A trained net in a file, to go on with: its layers as JSON and its weights, in the format safetensors (any reader of it
// gets at the weights). ONNX is for those who use a model; this is for recipes that train it further.
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type Sequential, sequential } from '@tensorflow/tfjs-layers';
import { RecipeFault } from './fault.ts';
import { writeWhole } from './file.ts';
import { families } from './layers/families.ts';
import type { Layer } from './layers/family.ts';
import { netOf } from './layers/net.ts';
import { below, run } from './run.ts';
import { decodeTensors, encodeTensors, type NamedTensor } from './tensor-file.ts';

/** Nets of more layers, and files of more bytes, are not read. */
const maxLayers = 10_000;
const maxBytes = 2 ** 31 - 1;

interface LayerText {
  className: string;
  config: tf.serialization.ConfigDict;
}

/** Weights are named `PLACE/INDEX/NAME`, by the layer's place in the net and the weight's in the layer. */
const weightName = (place: number, index: number, name: string): string => `${place}/${index}/${name}`;

const layersOf = (model: Sequential): Layer[] =>
  model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');

/** The net as the bytes of a file. Throws a RecipeFault that names a layer which is not of our table. */
export async function modelBytes(model: Sequential): Promise<Uint8Array> {
  const { inputShape } = netOf(model);
  const tensors: NamedTensor[] = [];
  const texts: LayerText[] = [];
  for (const [place, layer] of layersOf(model).entries()) {
    const className = layer.getClassName();
    if (!families[className]) throw unknown(layer.name, className);
    texts.push({ className, config: layer.getConfig() });
    for (const [index, weight] of layer.weights.entries()) {
      const value = weight.read();
      const values = (await value.data()) as Float32Array;
      const name = weightName(place, index, weight.originalName);
      tensors.push({ name, dtype: 'float32', shape: value.shape, values });
    }
  }
  return Buffer.concat(encodeTensors(tensors, { format: 1, inputShape, layers: texts }));
}

/** Writes the net to `name` below $RETRAIN_OUT: whole or not at all. */
export async function saveModel(model: Sequential, name: string): Promise<void> {
  await writeWhole(below(run.out, name), await modelBytes(model));
}

/** Reads a net that `saveModel` wrote. `name` is below $RETRAIN_DATA, or absolute. Throws a RecipeFault for any other file. */
export async function loadModel(name: string): Promise<Sequential> {
  const path = isAbsolute(name) ? name : below(run.data, name);
  let bytes: Buffer;
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new RecipeFault(`${path}: more than ${maxBytes} bytes`, 'give a smaller model');
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof RecipeFault) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new RecipeFault(`${path}: cannot be read (${reason})`, 'declare the file under its Dataset', {
      cause: error,
    });
  }
  return modelFrom(bytes, path);
}

const unknown = (name: string, className: string): RecipeFault =>
  new RecipeFault(
    `layer '${name}' is a ${className}, which is neither saved nor loaded`,
    `build the net of ${Object.keys(families).join(', ')}`,
  );

const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

/** The net in these bytes. `path` is for messages. */
export function modelFrom(bytes: Uint8Array, path: string): Sequential {
  const { tensors, json } = decodeTensors(bytes, path);
  const broken = (what: string, cause?: unknown): RecipeFault =>
    new RecipeFault(`${path}: ${what}`, 'give a file that saveModel wrote', { cause });
  const { format, inputShape, layers } = (json ?? {}) as Record<string, unknown>;
  if (format !== 1 || !Array.isArray(layers) || layers.length < 1 || layers.length > maxLayers) {
    throw broken('holds no net of this version');
  }
  if (!Array.isArray(inputShape) || inputShape.length > 8 || !inputShape.every(isLength)) {
    throw broken('does not say the shape of a record');
  }
  const weights = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const model = sequential();
  for (const [place, text] of (layers as Partial<LayerText>[]).entries()) {
    const layer = layerFrom(text, path, place === 0 ? (inputShape as number[]) : null);
    const stored = tensors.filter(({ name }) => name.startsWith(`${place}/`));
    guard(layer, stored, (what) => broken(`layer ${place} ('${layer.name}') ${what}`));
    try {
      model.add(layer);
    } catch (error) {
      if (error instanceof RecipeFault) throw error;
      throw broken(`layer ${place} does not fit the one before it (${(error as Error).message})`, error);
    }
    if (layer.weights.length !== stored.length) {
      throw broken(`layer ${place} has ${layer.weights.length} weights, the file ${stored.length}`);
    }
    for (const [index, variable] of layer.weights.entries()) {
      const tensor = weights.get(weightName(place, index, variable.originalName));
      if (!tensor) throw broken(`there is no weight ${weightName(place, index, variable.originalName)}`);
      const values = tf.tensor(tensor.values, tensor.shape);
      variable.write(values);
      values.dispose();
    }
  }
  return model;
}

/** A layer of our table. `inputShape`: of the first one, whose own word for it is not taken. */
function layerFrom(text: Partial<LayerText> | null, path: string, inputShape: number[] | null): Layer {
  const { className, config } = text ?? {};
  if (typeof className !== 'string' || !Object.hasOwn(families, className)) {
    throw unknown(String(config?.name ?? '?'), String(className));
  }
  const [make] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  const { batchInputShape: _, inputLength: __, ...own } = config ?? {};
  try {
    // tfjs's classes take their own getConfig(); what they refuse they throw.
    const settings = inputShape ? { ...own, batchInputShape: [null, ...inputShape] } : own;
    return new (make as unknown as new (settings: object) => Layer)(settings);
  } catch (error) {
    throw new RecipeFault(
      `${path}: tfjs makes no ${className} of what the file says (${(error as Error).message})`,
      'give a file that saveModel wrote',
      { cause: error },
    );
  }
}

type AddWeight = (name: string, shape: number[], ...rest: unknown[]) => unknown;

/**
 * Lets the layer make only weights of the shapes that the file has: else a few bytes that say `units: 1e9` would take all
 * memory before anything is compared.
 */
function guard(layer: Layer, stored: readonly NamedTensor[], refuse: (what: string) => RecipeFault): void {
  let made = 0;
  const cell = (layer as unknown as { cell?: Layer }).cell;
  for (const owner of [layer, cell]) {
    if (!owner) continue;
    const guarded = owner as unknown as { addWeight: AddWeight };
    const own = guarded.addWeight.bind(owner);
    guarded.addWeight = (name, shape, ...rest) => {
      const held = stored[made]?.shape;
      made += 1;
      if (!held || !tf.util.arraysEqual(held, shape)) {
        throw refuse(`wants ${name} of shape ${shape.join('x')}, the file has ${held?.join('x') ?? 'none'}`);
      }
      return own(name, shape, ...rest);
    };
  }
}
