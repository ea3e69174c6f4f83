import assert from 'node:assert/strict';
import { test } from 'node:test';
import { honest, type MakingModule } from './task.ts';
import { tasks } from './tasks.ts';

for (const task of tasks) {
  test(`${task.name}: every population has a maker, and every goal a population that is trained`, async () => {
    const { makers } = (await import(task.making.href)) as MakingModule;
    const populations = [honest, ...task.attacks.map(({ name }) => name)];
    assert.equal(new Set(populations).size, populations.length);
    for (const name of populations) {
      assert.match(name, /^[a-z0-9-]+$/);
      assert.ok(makers[name], `no maker of ${name}`);
    }
    const quick = [honest, ...task.attacks.filter((attack) => attack.quick).map(({ name }) => name)];
    for (const { population } of task.goals.full) assert.ok(populations.includes(population), population);
    for (const { population } of task.goals.quick) assert.ok(quick.includes(population), population);
  });
}
