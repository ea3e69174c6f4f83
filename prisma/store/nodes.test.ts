// What a sign of life writes: the vitals each time, what the node has only where that is another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '@retraind/shared/gpu/device';
import { withDatabase } from '../../tests/support/database.ts';
import { deviceOf } from '../../tests/support/device.ts';
import { makeNode, selfReport } from '../../tests/support/scenario.ts';
import * as nodes from './nodes.ts';

const { db } = await withDatabase();

/** Counts the statements that write a column, whatever they write. */
const columns = ['inventory', 'accelerators', 'tags', 'approved_inventory', 'vitals'];
await db.$executeRawUnsafe('CREATE TABLE written (name text)');
await db.$executeRawUnsafe(`CREATE FUNCTION count_written() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN INSERT INTO written VALUES (TG_ARGV[0]); RETURN NULL; END'`);
for (const column of columns) {
  await db.$executeRawUnsafe(`CREATE TRIGGER written_${column} AFTER UPDATE OF ${column} ON node
    FOR EACH ROW EXECUTE FUNCTION count_written('${column}')`);
}

test('a report writes of inventory, devices and tags what has changed, and nothing else', async () => {
  const { nodeId } = await makeNode(db);
  const report = async (devices: Device[], tags: string[] = [], load = 0.5): Promise<string[]> => {
    await db.$executeRawUnsafe('TRUNCATE written');
    const { inventory, vitals, ...self } = selfReport({ tags });
    const told = { ...self, inventory: { ...inventory, devices }, vitals: { ...vitals, load } };
    await nodes.report(db, nodeId, told);
    const rows = await db.$queryRawUnsafe<{ name: string }[]>('SELECT name FROM written');
    return rows.map(({ name }) => name).sort();
  };
  assert.deepEqual(await report([deviceOf(0)]), [
    'accelerators',
    'approved_inventory',
    'inventory',
    'tags',
    'vitals',
  ]);
  assert.deepEqual(await report([deviceOf(0)]), ['vitals']);
  assert.deepEqual(await report([deviceOf(0)], [], 3), ['vitals']);
  assert.equal((await nodes.byId(db, nodeId))?.vitals?.load, 3);
  assert.deepEqual(await report([deviceOf(0)], ['scratch']), ['tags', 'vitals']);
  assert.deepEqual(await report([deviceOf(0, { temperatureCelsius: 50 })], ['scratch']), [
    'inventory',
    'vitals',
  ]);
  assert.deepEqual(await report([deviceOf(0), deviceOf(1)], ['scratch']), ['inventory', 'vitals']);
  const sick = deviceOf(0, { faults: ['ECC'] });
  assert.deepEqual(await report([sick, deviceOf(1)], ['scratch']), ['accelerators', 'inventory', 'vitals']);
  const node = await nodes.byId(db, nodeId);
  assert.deepEqual(node?.inventory?.devices, [sick, deviceOf(1)]);
  assert.deepEqual(node?.accelerators, []);
});
