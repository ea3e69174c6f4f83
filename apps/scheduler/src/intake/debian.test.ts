import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openArchive } from '@retraind/host/archive';
import { buildSource } from '@retraind/host/archive/sample-package';
import { serveArchive } from '@retraind/host/archive/server';
import { beaconOf, openDebianSuite } from './debian.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-intake-'));
after(() => rm(work, { recursive: true, force: true }));

const archive = await openArchive({ folder: join(work, 'archive') });
let current = '1.0-1';
const upload = async (version: string): Promise<void> => {
  await archive.addSource(
    await buildSource(join(work, version), 'sample', version, { Retrain: 'bootstrap' }),
  );
  await archive.publish();
  current = version;
};
await upload(current);
const none = new Map<string, string>();

test('a folder and a mirror: read once, unchanged not again, a new version by the next look', async () => {
  const server = await serveArchive(archive.publicFolder);
  after(() => server.close());
  for (const [name, sources] of [
    ['folder', archive.sources()],
    ['http', archive.sources(server.address)],
  ] as const) {
    const suite = await openDebianSuite({ sources, stateFolder: join(work, name), intakeSeconds: 5 });
    const first = await suite.read(0, null, none);
    assert.deepEqual(first.problems, []);
    const versions = first.listed?.map(({ source, version, beacon }) => [source, version, beacon]);
    assert.deepEqual(versions, [['sample', current, '']], 'no beacon from an archive that the farm signs');
    assert.ok(first.date);
    const same = await suite.read(5_000, first.digest, none);
    assert.equal(same.listed, null);
    const overlaid = await suite.read(5_001, first.digest, new Map([['sample', 'digest of an overlay']]));
    assert.notEqual(overlaid.listed, null, 'another overlay is another reading');
    const restarted = await openDebianSuite({ sources, stateFolder: join(work, name), intakeSeconds: 5 });
    assert.equal((await restarted.read(0, first.digest, none)).listed, null, 'nor after a restart');

    const next = `1.0-${name === 'folder' ? 2 : 3}`;
    await upload(next);
    assert.equal((await suite.read(9_999, first.digest, none)).listed, null, 'not before it is due');
    const second = await suite.read(10_000, first.digest, none);
    assert.deepEqual(
      second.listed?.map(({ version }) => version),
      [next],
    );
  }
});

test('a mirror out of reach does not hold up the folder, and is told', async () => {
  const gone = archive.sources('http://127.0.0.1:9');
  const suite = await openDebianSuite({
    sources: `${archive.sources()}\n${gone}`,
    stateFolder: join(work, 'mixed'),
    intakeSeconds: 5,
  });
  const reading = await suite.read(0, null, none);
  assert.equal(reading.listed?.length, 1);
  assert.deepEqual(
    reading.problems.map(({ code }) => code),
    ['network-unreachable'],
  );
});

test('an index with a broken signature: told, the old reading stays', async () => {
  const sources = archive.sources();
  const suite = await openDebianSuite({ sources, stateFolder: join(work, 'broken'), intakeSeconds: 0 });
  const { digest } = await suite.read(0, null, none);
  const path = join(archive.publicFolder, 'dists/local/InRelease');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('Suite: local', 'Suite: evil'));
  const reading = await suite.read(1, digest, none);
  assert.equal(reading.digest, digest);
  assert.equal(reading.listed, null);
  assert.equal(reading.problems[0]?.code, 'invalid-index');
  await writeFile(path, text);
  assert.deepEqual((await suite.read(2, digest, none)).problems, []);
});

test("a distribution's own Release is public randomness, the farm's is not", () => {
  const release = {
    path: '',
    sha256: 'ab',
    date: 'Sat, 17 May 2025 09:00:00 UTC',
    suite: null,
    codename: null,
  };
  assert.equal(beaconOf({ ...release, origin: 'Debian' }), 'ab Sat, 17 May 2025 09:00:00 UTC');
  assert.equal(beaconOf({ ...release, origin: 'Retraind' }), '');
});
