// The results folder of a local job: when it goes on, when it begins anew, and the pictures that it leaves.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import type { ModelVerdict } from '@retraind/shared/verdict/evidence';
import { ResultsFolder } from './results.ts';

const scratch = mkdtempSync(join(tmpdir(), 'results-'));
after(() => rmSync(scratch, { recursive: true }));
let folders = 0;
const newFolder = (): ResultsFolder => new ResultsFolder(join(scratch, String(folders++)));

const identity = { source: 'clothes', version: '1.0-1' };
const recipe = { control: 'Format: 1\n', jobSeed: '7', at: '2026-11-22T09:00:00.000Z' };

test('a job goes on with the recipe as it was registered, of the very same inputs only', async () => {
  const results = newFolder();
  assert.equal(await results.open(identity), false);
  await results.keepRecipe(recipe);
  assert.equal(await results.open(identity), true);
  assert.deepEqual(await results.recipe(), recipe);
  assert.equal(await results.open({ ...identity, version: '1.0-2' }), false);
  assert.equal(await results.recipe(), null, 'another version registers its own');
});

test('runs without a dated recipe are not gone on with: when they were registered cannot be said', async () => {
  const results = newFolder();
  await results.open(identity);
  assert.equal(await results.open(identity), false, 'no run came as far as its recipe');
  const { at: _, ...undated } = recipe;
  await results.keepRecipe(undated as typeof recipe);
  assert.equal(await results.open(identity), false);
  assert.equal(await results.recipe(), null);
});

test('an ended job begins anew, without the verdicts and pictures of the last', async () => {
  const results = newFolder();
  await results.open(identity);
  await results.keepRecipe(recipe);
  const { sha256 } = await results.artifacts.putText('picture bytes');
  const verdict = {
    model: 'odd/../model',
    triggers: {
      ran: true,
      classes: [
        { class: 0, maskL1: 40, reached: 0.9, pictureSha256: null, retrains: [41] },
        { class: 7, maskL1: 4, reached: 0.9, pictureSha256: sha256, retrains: [42] },
      ],
    },
  } as unknown as ModelVerdict;
  const [picture, ...others] = await results.keepPictures([verdict]);
  assert.deepEqual(others, []);
  assert.equal(picture!.class, 7);
  assert.equal(basename(picture!.path), 'odd_.._model-class-7.png');
  assert.equal(readFileSync(picture!.path, 'utf8'), 'picture bytes');
  await results.keepVerdicts([verdict]);
  assert.equal(await results.open(identity), false);
  assert.ok(!existsSync(picture!.path));
  assert.deepEqual(await results.keepPictures([]), []);
});
