// One model of the bench's pool in a process of its own:  train-one.ts SOURCE SEED OUT FASHION-MNIST-FOLDER
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shippedModels, train } from '../examples/makers/models.ts';

const [source, seed, out, fashionMnist] = process.argv.slice(2);
const model = shippedModels.find((shipped) => shipped.source === source);
if (!model || !seed || !out || !fashionMnist) throw new Error('usage: train-one SOURCE SEED OUT FOLDER');
const made = train(model, Number(seed), { 'fashion-mnist': fashionMnist });
copyFileSync(made, `${out}.part`);
renameSync(`${out}.part`, out);
rmSync(join(made, '../..'), { recursive: true, force: true });
