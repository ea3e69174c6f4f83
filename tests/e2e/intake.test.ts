// From an upload to a job: a signed archive, apt, intake, the store. The overlay is a real one, laid over a package of its name.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openArchive } from '@retraind/host/archive';
import { buildSource } from '@retraind/host/archive/sample-package';
import { ArtifactStore } from '@retraind/host/artifacts';
import * as jobs from '@retraind/prisma/store/jobs';
import * as suites from '@retraind/prisma/store/suites';
import * as versions from '@retraind/prisma/store/versions';
import { openIntake } from '@retraind/scheduler/intake/intake';
import { withDatabase } from '../support/database.ts';

const { db } = await withDatabase();
const work = await mkdtemp(join(tmpdir(), 'retraind-intake-e2e-'));
after(() => rm(work, { recursive: true, force: true }));

const archive = await openArchive({ folder: join(work, 'archive') });
const recipes = join(work, 'recipes');
await cp(fileURLToPath(new URL('../../recipes', import.meta.url)), recipes, { recursive: true });
const artifacts = new ArtifactStore(join(work, 'artifacts'));
const stop = new AbortController();
const log: { message: string; facts: Record<string, unknown> }[] = [];
const intake = openIntake({
  db,
  artifacts,
  stateFolder: join(work, 'state'),
  overlaysFolder: recipes,
  seed: null,
  signal: stop.signal,
  log: (_level, message, facts) => log.push({ message, facts }),
});

const upload = async (name: string, version: string, fields: Record<string, string>): Promise<void> => {
  await archive.addSource(await buildSource(join(work, `${name}-${version}`), name, version, fields));
};
const tag = { Retrain: 'bootstrap', 'Retrain-Policy': 'on-upload' };
const suite = 'local';
const seconds = (count: number): number => count * 1_000;

test('a tagged version makes its job once; a newer one supersedes it; an overlay is listed without a job', async () => {
  await upload('sample', '1.0-1', tag);
  await upload('anthy', '1:0.4-2', {});
  await upload('plain', '1-1', {});
  await upload('wanted', '1-1', { Retrain: 'bootstrap' });
  await upload('broken', '1-1', { Retrain: 'bootstrap', 'Retrain-Policy': 'sometimes' });
  await archive.publish();
  await suites.add(db, { name: suite, sources: archive.sources(), intakeSeconds: 5 }, 'ada');
  await intake.readDue(0);

  const current = await versions.current(db, suite);
  assert.deepEqual(
    current.map(({ source, version, policy, beacon }) => [source, version, policy, beacon]),
    [
      ['anthy', '1:0.4-2', 'per-release', ''],
      ['sample', '1.0-1', 'on-upload', ''],
      ['wanted', '1-1', 'on-demand', ''],
    ],
  );
  const overlay = current[0]!.overlaySha256;
  assert.ok(overlay && (await artifacts.has(overlay)), 'the overlay is an artifact that workers fetch');
  assert.ok(
    log.some(
      ({ message, facts }) => message === 'a tag in the index is refused' && facts.source === 'broken',
    ),
  );
  const first = (await jobs.ofPackage(db, 'sample')).map(({ version, state }) => [version, state]);
  assert.deepEqual(first, [['1.0-1', 'needs-retrain']]);
  assert.deepEqual(await jobs.ofPackage(db, 'anthy'), []);

  const readings = () => log.filter(({ message }) => message === 'an index was read').length;
  assert.equal(readings(), 1);
  await intake.readDue(seconds(5));
  assert.equal(readings(), 1, 'unchanged: nothing is read again');

  await upload('sample', '1.0-2', tag);
  await archive.publish();
  await intake.readDue(seconds(10));
  const both = (await jobs.ofPackage(db, 'sample')).map(({ version, state }) => [version, state]);
  assert.deepEqual(new Set(both.map(String)), new Set(['1.0-1,superseded', '1.0-2,needs-retrain']));
  assert.equal((await jobs.ofPackage(db, 'wanted')).length, 0);
});

test('a changed overlay is taken in without a new version', async () => {
  const before = (await versions.current(db, suite, 'anthy'))[0]!.overlaySha256;
  const rules = join(recipes, 'anthy/debian/retrain/rules');
  await writeFile(rules, `${await readFile(rules, 'utf8')}# changed\n`);
  await intake.readDue(seconds(20));
  const overlay = (await versions.current(db, suite, 'anthy'))[0]!.overlaySha256!;
  assert.notEqual(overlay, before);
  assert.ok(await artifacts.has(overlay));
});

test('a broken archive is noted on its suite, the old versions stay, and the note goes when it is mended', async () => {
  const path = join(archive.publicFolder, 'dists/local/InRelease');
  const good = await readFile(path, 'utf8');
  await writeFile(path, good.slice(0, good.length / 2));
  await intake.readDue(seconds(30));
  const row = (await suites.byName(db, suite))!;
  assert.match(row.indexProblem ?? '', /^invalid-index: /);
  assert.equal((await versions.current(db, suite)).length, 3);
  await writeFile(path, good);
  await intake.readDue(seconds(40));
  assert.equal((await suites.byName(db, suite))!.indexProblem, null);
});

test('one suite that cannot be read does not hold up another', async () => {
  await suites.add(
    db,
    { name: 'aaa-bad', sources: 'Types: deb-src\nURIs: file:/nowhere\n', intakeSeconds: 5 },
    'ada',
  );
  await upload('late', '1-1', tag);
  await archive.publish();
  await intake.readDue(seconds(50));
  assert.match((await suites.byName(db, 'aaa-bad'))!.indexProblem ?? '', /Suites/);
  assert.equal((await jobs.ofPackage(db, 'late')).length, 1);
});
