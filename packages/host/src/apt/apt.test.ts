import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import { armoured, packetsOf } from './armor.ts';
import { readCandidates } from './candidate.ts';
import { honouredLines } from './configuration.ts';
import { fileFault, indexFault } from './fault.ts';
import { machineSources } from './sources.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-apt-'));
after(() => rm(work, { recursive: true, force: true }));

test('of the machine, only what reaches the network is kept', () => {
  const kept = honouredLines(
    [
      'Acquire::http::Proxy "http://proxy:3128";',
      'Acquire::https::CaInfo "/etc/ssl/ca.pem";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::AllowInsecureRepositories "1";',
      'Acquire::https::AllowRedirect "true";',
      'APT::Update::Post-Invoke:: "rm -rf /";',
      'DPkg::Post-Invoke:: "rm -rf /";',
      'Acquire::http "";',
      'APT::Get::AllowUnauthenticated "1";',
    ].join('\n'),
  );
  assert.deepEqual(kept, [
    'Acquire::http::Proxy "http://proxy:3128";',
    'Acquire::https::CaInfo "/etc/ssl/ca.pem";',
    'Acquire::Check-Valid-Until "false";',
  ]);
});

test("apt's words become problems", () => {
  const cases: [string, string, (stderr: string) => { code: string }][] = [
    ['network-unreachable', "W: Failed to fetch http://x/InRelease  Could not resolve 'x'", indexFault],
    [
      'invalid-index',
      'E: Failed to fetch http://x/Sources.xz  File has unexpected size (5 != 9). Mirror sync in progress?',
      indexFault,
    ],
    [
      'invalid-index',
      "W: GPG error: http://x InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 00",
      indexFault,
    ],
    ['invalid-index', 'E: Release file for http://x/InRelease is expired (invalid since 3d).', indexFault],
    ['data-wait', 'E: Failed to fetch http://x/pool/a.dsc  404  Not Found [IP: 1.2.3.4 80]', fileFault],
    ['digest-mismatch', 'E: Failed to fetch http://x/pool/a.dsc  Hash Sum mismatch', fileFault],
    ['not-found', 'E: Unable to find a source package for nothing', fileFault],
    ['not-found', "E: Version '9' for 'x' was not found", fileFault],
  ];
  for (const [expected, stderr, fault] of cases) assert.equal(fault(stderr).code, expected, stderr);
});

test("the machine's archives, one-line and deb822, with the keys inline", async () => {
  const etc = join(work, 'etc');
  await mkdir(join(etc, 'sources.list.d'), { recursive: true });
  const key = Buffer.from('not a real key, but some packets');
  await writeFile(join(work, 'key.gpg'), key);
  await writeFile(
    join(etc, 'sources.list'),
    [
      '# a comment',
      `deb [arch=amd64,arm64 signed-by=${work}/key.gpg] http://one.example/debian trixie main contrib # why`,
      'deb-src http://one.example/debian trixie main contrib',
      'deb [trusted=yes] file:/srv/mine ./',
      '',
    ].join('\n'),
  );
  await writeFile(
    join(etc, 'sources.list.d/two.sources'),
    'Types: deb\nURIs: http://two.example/debian\nSuites: sid\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://off.example\nSuites: x\nComponents: y\n',
  );
  const stanzas = readDeb822(machineSources(etc));
  assert.deepEqual(
    stanzas.map((stanza) => valueIn(stanza, 'URIs')),
    ['http://one.example/debian', 'http://two.example/debian'],
  );
  assert.ok(stanzas.every((stanza) => valueIn(stanza, 'Types') === 'deb deb-src'));
  assert.doesNotMatch(machineSources(etc), /file:\/srv/);
});

test('armour holds the packets, one block or several', () => {
  const first = Buffer.from('first key');
  const second = Buffer.from('second key, a longer one, so that its base64 takes more than one line of text');
  assert.deepEqual(packetsOf(first), first);
  assert.deepEqual(packetsOf(Buffer.from(armoured(second))), second);
  const both = Buffer.from(`${armoured(first)}\n${armoured(second)}\n`);
  assert.deepEqual(packetsOf(both), Buffer.concat([first, second]));
});

test('candidates: highest first, source of a binNMU', () => {
  const text = [
    'Package: a\nVersion: 1.0\nArchitecture: all\nSHA256: 00\nSize: 5\n',
    'Package: a\nSource: b (1.9-1)\nVersion: 1.10-1+b2\nArchitecture: amd64\nSHA256: 11\nSize: 6\n',
    'Package: other\nProvides: a\nVersion: 9\nSHA256: 22\n',
    'Package: a\nVersion: 2\nStatus: installed\n',
  ].join('\n');
  const [first, second, ...rest] = readCandidates(text, 'a');
  assert.equal(first?.version, '1.10-1+b2');
  assert.equal(first?.source, 'b');
  assert.equal(first?.sourceVersion, '1.9-1');
  assert.equal(second?.sourceVersion, '1.0');
  assert.deepEqual(rest, []);
});
