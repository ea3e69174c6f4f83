// The ladder. What each engine computes is tested in tests/engines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecipeFault } from '../fault.ts';
import * as tf from '../tf.ts';
import { currentEngine, engines, openEngine } from './engines.ts';

for (const engine of engines) {
  test(`${engine.name} opens as tfjs's backend, and tells what decides its bits`, async (context) => {
    const opened = await engine.open();
    if ('unavailable' in opened) return context.skip(`${engine.name}: ${opened.unavailable}`);
    assert.equal(tf.getBackend(), opened.backend);
    assert.match(opened.label, new RegExp(`^${engine.name} \\(.*${tf.version_core}`));
    assert.ok(opened.label.includes(opened.version) && opened.device.length > 0);
  });
}

test('the ladder takes an automatic engine, and names what there is', async () => {
  const opened = await openEngine();
  assert.ok(engines.some(({ name, automatic }) => automatic && opened.label.startsWith(name)));
  assert.deepEqual(currentEngine(), { opened, isOther: false });
  await assert.rejects(openEngine('abacus'), (error) => {
    assert.ok(error instanceof RecipeFault);
    return (
      error.message === "there is no engine 'abacus'" &&
      error.cure === `take one of ${engines.map(({ name }) => name).join(', ')}`
    );
  });
});
