import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDatabase } from '../../tests/support/database.ts';
import { forget, take } from './enrolment-rate.ts';

const { db } = await withDatabase();
const later = (seconds: number) =>
  db.$executeRaw`UPDATE enrolment_bucket SET at = at - make_interval(secs => ${seconds}::float8)`;
const addresses = async (): Promise<string[]> =>
  (await db.enrolmentBucket.findMany({ orderBy: { address: 'asc' } })).map(({ address }) => address);

test('an address has its own bucket, all share one, and both fill again', async () => {
  const rate = { address: 2, all: 5 };
  const ask = (address: string) => take(db, address, rate);
  assert.deepEqual([await ask('a'), await ask('a'), await ask('a')], [true, true, false]);
  assert.deepEqual([await ask('b'), await ask('b'), await ask('c')], [true, true, true]);
  assert.equal(await ask('d'), false, 'five of all are drawn');
  assert.deepEqual(await addresses(), ['a', 'all', 'b', 'c'], 'an address that was refused leaves no row');
  assert.equal(await forget(db), 0);
  await later(30);
  assert.deepEqual([await ask('a'), await ask('a')], [true, false], 'half a minute fills it by half');
  await later(61);
  assert.equal(await forget(db), 4);
  assert.deepEqual([await ask('a'), await ask('a'), await ask('a')], [true, true, false]);
});

test('many at one moment get no more than one after the other would', async () => {
  await db.enrolmentBucket.deleteMany();
  const asked = await Promise.all(
    Array.from({ length: 24 }, (_, i) => take(db, `address ${i % 3}`, { address: 4, all: 10 })),
  );
  assert.equal(asked.filter(Boolean).length, 10);
  const [all] = await db.enrolmentBucket.findMany({ where: { address: 'all' } });
  assert.ok(all!.tokens < 1, `${all!.tokens} are left`);
});
