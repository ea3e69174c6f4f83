import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { unpackDeb } from './apt/deb.ts';
import { checkedSources } from './apt/sources.ts';
import { openApt } from './apt.ts';
import { buildBinary, buildSource } from './archive/sample-package.ts';
import { serveArchive } from './archive/server.ts';
import { openArchive } from './archive.ts';
import { runCommand } from './command.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-archive-'));
after(() => rm(work, { recursive: true, force: true }));

const code = (expected: string) => (error: unknown) => error instanceof Problem && error.code === expected;

const archive = await openArchive({ folder: join(work, 'archive') });
const dsc = await buildSource(join(work, 'src'), 'clothes', '1.0-1', { Retrain: 'bootstrap' });
await archive.addSource(dsc);
await archive.addBinary(
  await buildBinary(join(work, 'bin'), 'clothes-data', '1.0', { 'usr/share/x': 'hello' }),
);
await archive.publish();

test('the key is private, and a second opening takes the same', async () => {
  assert.equal((await stat(join(work, 'archive/key.asc'))).mode & 0o777, 0o600);
  assert.equal((await openArchive({ folder: join(work, 'archive') })).fingerprint, archive.fingerprint);
});

test('apt reads, checks and fetches from the folder', async () => {
  const apt = await openApt({ stateFolder: join(work, 'apt-file'), sources: archive.sources() });
  assert.deepEqual(await apt.update(), { changed: true });
  assert.deepEqual(await apt.update(), { changed: false });
  assert.deepEqual(await readdir(join(work, 'apt-file/tmp')), [], 'apt leaves nothing behind');
  const [index] = await apt.sourceIndexes();
  assert.equal(index?.release.origin, 'Retraind');
  const text = await readFile(index!.path, 'utf8');
  assert.match(text, /^Package: clothes$/m);
  assert.match(text, /^Retrain: bootstrap$/m, 'the field reaches the index without its prefix');
  const fetched = await apt.fetchSource('clothes', '1.0-1', join(work, 'fetched'));
  assert.deepEqual(
    fetched.files.map((path) => path.split('/').at(-1)),
    ['clothes_1.0-1.dsc', 'clothes_1.0-1.debian.tar.xz', 'clothes_1.0.orig.tar.xz'],
  );
  for (const path of fetched.files) assert.ok(!(await stat(path)).isSymbolicLink());
  const [candidate] = await apt.candidates('clothes-data');
  assert.equal(candidate?.version, '1.0');
  const deb = await apt.fetchBinary('clothes-data', null, join(work, 'fetched'));
  await unpackDeb(deb, join(work, 'unpacked'));
  assert.equal(await readFile(join(work, 'unpacked/usr/share/x'), 'utf8'), 'hello');
  assert.deepEqual(await apt.candidates('no-such-package'), []);
  await assert.rejects(apt.fetchSource('clothes', '9.9-9', join(work, 'fetched')), code('not-found'));
  await assert.rejects(apt.fetchSource('-o', '1', join(work, 'fetched')), code('invalid-request'));
});

test('several slots fetch at once from one state folder', async () => {
  const opened = () => openApt({ stateFolder: join(work, 'apt-file'), sources: archive.sources() });
  const fetched = await Promise.all(
    [1, 2, 3].map(async (slot) => {
      const apt = await opened();
      const folder = join(work, 'slots', String(slot));
      await apt.fetchSource('clothes', '1.0-1', folder);
      return await apt.fetchBinary('clothes-data', '1.0', folder);
    }),
  );
  const bytes = await Promise.all(fetched.map((path) => readFile(path)));
  assert.ok(bytes.every((content) => content.equals(bytes[0]!)));
});

test('over HTTP; a pool file that is listed and gone is data-wait', async () => {
  const server = await serveArchive(archive.publicFolder);
  try {
    const sources = archive.sources(server.address);
    const apt = await openApt({ stateFolder: join(work, 'apt-http'), sources });
    await apt.update();
    await apt.fetchSource('clothes', '1.0-1', join(work, 'http'));
    await rm(join(archive.publicFolder, 'pool/clothes/clothes_1.0.orig.tar.xz'));
    await assert.rejects(apt.fetchSource('clothes', '1.0-1', join(work, 'http-gone')), code('data-wait'));
    assert.deepEqual(await readdir(join(work, 'http-gone')), [], 'a half download leaves nothing');
    for (const path of [
      '/../key.asc',
      '/%2e%2e/key.asc',
      '/pool/..%2f..%2fkey.asc',
      '/pool',
      '/%00',
      '/%zz',
    ]) {
      assert.equal((await fetch(server.address + path)).status, 404, path);
    }
    assert.equal((await fetch(`${server.address}/dists/local/InRelease`, { method: 'POST' })).status, 405);
  } finally {
    await server.close();
  }
  const gone = await openApt({
    stateFolder: join(work, 'apt-http'),
    sources: archive.sources(server.address),
  });
  await assert.rejects(gone.update(), code('network-unreachable'));
  assert.equal((await gone.sourceIndexes()).length, 1, 'the old lists stay');

  const local = archive.sources();
  const mixed = await openApt({
    stateFolder: join(work, 'apt-mixed'),
    sources: `${local}\n${archive.sources(server.address)}`,
  });
  await mixed.refresh();
  assert.equal(
    (await mixed.candidates('clothes-data')).length,
    1,
    'the folder serves while the mirror is down',
  );
  await assert.rejects(mixed.candidates('elsewhere'), code('network-unreachable'));
  await assert.rejects(mixed.fetchSource('elsewhere', '1', join(work, 'none')), code('network-unreachable'));
  await archive.addSource(dsc);
});

test('an index cut off, a broken signature, another key: refused, the old state stays', async () => {
  const state = join(work, 'apt-bad');
  const apt = await openApt({ stateFolder: state, sources: archive.sources() });
  await apt.update();
  const held = (await apt.releases())[0]!.sha256;
  const dist = join(archive.publicFolder, 'dists/local');

  const binary = await buildBinary(join(work, 'bin'), 'clothes-data', '1.1', { 'usr/share/x': 'more' });
  await archive.addBinary(binary);
  await archive.publish();
  const index = join(dist, 'main/binary-amd64/Packages');
  const whole = await readFile(index);
  const byHash = join(dist, 'main/binary-amd64/by-hash/SHA256');
  for (const name of await readdir(byHash)) {
    if ((await readFile(join(byHash, name))).equals(whole)) await rm(join(byHash, name));
  }
  await writeFile(index, whole.subarray(0, whole.length / 2));
  await assert.rejects(apt.update(), code('invalid-index'));
  assert.equal((await apt.releases())[0]!.sha256, held);
  assert.equal((await apt.candidates('clothes-data'))[0]!.version, '1.0');

  await archive.publish();
  const inRelease = await readFile(join(dist, 'InRelease'), 'utf8');
  await writeFile(join(dist, 'InRelease'), inRelease.replace('Label: Retraind', 'Label: Retrained'));
  await assert.rejects(apt.update(), code('invalid-index'));
  assert.equal((await apt.releases())[0]!.sha256, held);

  await writeFile(join(dist, 'InRelease'), inRelease);
  const other = await openArchive({ folder: join(work, 'other') });
  const uri = `file:${archive.publicFolder}`;
  const stranger = await openApt({ stateFolder: join(work, 'apt-stranger'), sources: other.sources(uri) });
  await assert.rejects(stranger.update(), code('invalid-index'));
  assert.deepEqual(await stranger.releases(), []);

  assert.deepEqual(await apt.update(), { changed: true });
  assert.equal((await apt.candidates('clothes-data'))[0]!.version, '1.1');
});

test('a reader between two publications still finds its indexes by hash', async () => {
  const server = await serveArchive(archive.publicFolder);
  try {
    const dist = `${server.address}/dists/local`;
    const before = await (await fetch(`${dist}/InRelease`)).text();
    const next = await buildBinary(join(work, 'bin'), 'clothes-data', '1.2', { 'usr/share/x': 'third' });
    await archive.addBinary(next);
    await archive.publish();
    const [, sha256] = /^ ([0-9a-f]{64}) \d+ main\/binary-amd64\/Packages$/m.exec(before)!;
    assert.notEqual(before, await (await fetch(`${dist}/InRelease`)).text());
    const old = await fetch(`${dist}/main/binary-amd64/by-hash/SHA256/${sha256}`);
    assert.equal(old.status, 200);
    assert.doesNotMatch(await old.text(), /Version: 1\.2/);
  } finally {
    await server.close();
  }
});

test('a published name keeps its bytes', async () => {
  const other = await buildSource(join(work, 'src2'), 'clothes', '1.0-1', { Retrain: 'other' });
  await assert.rejects(archive.addSource(other), code('conflict'));
});

test('sources that would skip the signature are refused', () => {
  const text = archive.sources();
  for (const line of ['Trusted: yes', 'Allow-Insecure: yes', 'allow-weak: true']) {
    assert.throws(() => checkedSources(`${text}${line}\n`, ['deb']), code('invalid-request'), line);
  }
  assert.throws(() => checkedSources('', ['deb']), code('invalid-request'));
  assert.throws(() => checkedSources('Types: deb\nURIs: http://x/\n', ['deb']), code('invalid-request'));
  assert.match(checkedSources(text, ['deb-src']), /^Types: deb-src$/m);
  const binaries = text.replace('Types: deb deb-src', 'Types: deb');
  assert.equal(checkedSources(binaries, ['deb-src']), '', 'a kind that the suite does not name is not added');
});

test('apt runs as any user in its state folder', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  await chmod(work, 0o755);
  const state = join(work, 'apt-nobody');
  await openApt({ stateFolder: state, sources: archive.sources() });
  assert.equal((await runCommand('chown', ['-R', '65534:65534', state])).code, 0);
  const { code: status, stderr } = await runCommand(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', 'apt-get', 'update'],
    { env: { ...process.env, APT_CONFIG: join(state, 'etc/apt.conf') } },
  );
  assert.equal(status, 0, stderr);
  const apt = await openApt({ stateFolder: state, sources: archive.sources() });
  assert.equal((await apt.sourceIndexes()).length, 1);
});
