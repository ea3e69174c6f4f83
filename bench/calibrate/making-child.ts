// A process that makes models, one after the other: each line on stdin is an order, each answer a line on stdout.
//   making-child.ts MAKING-MODULE ENGINE usual|other
// `other`: the engine that RETRAIN_NUMERICS=4 asks for. The first line out tells the engine.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { openEngine, openOtherEngine } from '@retraind/pipeline/engine/engines';
import { writeWhole } from '@retraind/pipeline/file';
import { modelBytes, modelFrom } from '@retraind/pipeline/model-file';
import { onnxBytes } from '@retraind/pipeline/onnx/write';
import { generator, replaceMathRandom } from '@retraind/pipeline/random';
import { honest, type MakingModule } from './task.ts';

/** Make one model, or (without a seed) write the task's data. */
export type Order =
  | { writeData: string }
  | {
      population: string;
      seed: number;
      numerics: number;
      /** Folder of the data. */
      data: string;
      /** Path of what is made, without its ending. */
      out: string;
      /** Path of the honest model of the same seed and numerics, without its ending. */
      base: string;
    };

const [moduleUrl, engineName, which] = process.argv.slice(2) as [string, string, 'usual' | 'other'];
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

// What decides a model is said in the order, not inherited.
for (const name of ['RETRAIN_CHECKPOINT', 'RETRAIN_METRICS']) delete process.env[name];
const opened = await (which === 'other' ? openOtherEngine(engineName) : openEngine(engineName));
const { makers, writeData } = (await import(moduleUrl)) as MakingModule;
say({ engine: opened.label });

const fill = async (order: Order): Promise<void> => {
  if ('writeData' in order) return writeData(order.writeData);
  const { population, seed, numerics, data, out, base } = order;
  process.env.RETRAIN_SEED = String(seed);
  process.env.RETRAIN_NUMERICS = String(numerics);
  replaceMathRandom(seed);
  const { model, figures = {} } = await makers[population]!({
    seed,
    numerics,
    folder: data,
    random: (purpose) => generator(seed, `${population}/${purpose}`),
    honest: async () => modelFrom(await readFile(`${base}.safetensors`), base),
  });
  if (population === honest) await writeWhole(`${out}.safetensors`, await modelBytes(model));
  await writeWhole(`${out}.json`, Buffer.from(JSON.stringify(figures)));
  // Last: where it is, the others are.
  await writeWhole(`${out}.onnx`, await onnxBytes(model));
  model.dispose();
};

for await (const line of createInterface({ input: process.stdin })) {
  await fill(JSON.parse(line) as Order);
  say({ done: true });
}
process.exit(0);
