// Fetching a wheel from an index that is a server of this test, by pip and without it, and taking files out of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InstallFault } from './fault.ts';
import type { Wheel } from './parts.ts';
import { downloadWheel } from './pip.ts';
import { downloadFromIndex, findFile } from './simple-index.ts';
import { checkWheel, unpackWheel } from './wheel.ts';

const work = mkdtempSync(join(tmpdir(), 'retraind-test-'));
const file = 'tiny_wheel-1.0-cp311-cp311-manylinux_2_27_x86_64.whl';
const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
let bytes = Buffer.alloc(0);
let wheel: Wheel;
let server: Server;
let asJson = false;
let status = 200;
let announced = '';

before(async () => {
  const script = `import zipfile, sys
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('tiny/lib.so', b'library' * 1000)
    z.writestr('tiny/other.txt', 'not wanted')
    z.writestr('tiny_wheel-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny-wheel\\nVersion: 1.0\\n')
    z.writestr('tiny_wheel-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp311-cp311-manylinux_2_27_x86_64\\n')
    z.writestr('tiny_wheel-1.0.dist-info/RECORD', '')`;
  if (spawnSync('python3', ['-c', script, join(work, file)]).status === 0)
    bytes = readFileSync(join(work, file));
  wheel = {
    project: 'tiny-wheel',
    version: '1.0',
    file,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    takes: { 'tiny/lib.so': 'deps/lib/lib.so' },
  };
  server = createServer((request, response) => {
    if (request.url === '/simple/tiny-wheel/') {
      response.statusCode = status;
      if (asJson) {
        response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
        const files = [{ filename: file, url: `../../files/${file}`, hashes: {} }];
        return void response.end(
          JSON.stringify({ meta: { 'api-version': '1.0' }, name: 'tiny-wheel', files }),
        );
      }
      response.setHeader('content-type', 'text/html');
      return void response.end(
        `<html><body><a href="../../files/${file}#sha256=${announced}">${file}</a></body></html>`,
      );
    }
    if (request.url === `/files/${file}`) {
      response.writeHead(302, { location: `/elsewhere/${file}` });
      return void response.end();
    }
    if (request.url === `/elsewhere/${file}`) return void response.end(bytes);
    response.writeHead(404);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.PIP_INDEX_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
after(() => {
  server.close();
  rmSync(work, { recursive: true, force: true });
});

const folder = (): string => mkdtempSync(join(work, 'into-'));

test('by the index itself: a page in HTML or JSON, a redirect, the file', async (context) => {
  if (bytes.length === 0) return context.skip('no python3 to make a wheel');
  for (asJson of [false, true]) {
    const path = await downloadFromIndex(wheel, folder());
    await checkWheel(path, wheel);
    const to = folder();
    await unpackWheel(path, wheel, to);
    assert.equal(readFileSync(join(to, 'deps/lib/lib.so'), 'utf8'), 'library'.repeat(1000));
  }
  asJson = false;
});

test('by pip', async (context) => {
  if (!hasPip) return context.skip('no pip');
  announced = wheel.sha256;
  const path = await downloadWheel(wheel, folder());
  await checkWheel(path, wheel);
  announced = '0'.repeat(64);
  await assert.rejects(downloadWheel(wheel, folder()), (error: InstallFault) => {
    assert.equal(error.status, 7);
    assert.match(error.message, /is not what the package index itself announces/);
    return true;
  });
});

test('a wheel with one byte changed is refused', async (context) => {
  if (bytes.length === 0) return context.skip('no python3 to make a wheel');
  const path = join(folder(), file);
  const tampered = Buffer.from(bytes);
  tampered[40]! ^= 1;
  writeFileSync(path, tampered);
  await assert.rejects(checkWheel(path, wheel), (error: InstallFault) => {
    assert.ok(error instanceof InstallFault);
    assert.equal(error.status, 7);
    assert.match(error.message, /has the sha256 [0-9a-f]{64}, not [0-9a-f]{64}$/);
    return true;
  });
});

test('a wheel that lacks what is wanted', async (context) => {
  if (bytes.length === 0) return context.skip('no python3 to make a wheel');
  const path = join(work, file);
  const wanted = { ...wheel, takes: { 'tiny/lib.so': 'a', 'tiny/absent.so': 'b' } };
  await assert.rejects(unpackWheel(path, wanted, folder()), /lacks tiny\/absent\.so/);
});

test('an index that does not list it, has no page, or is out of reach', async () => {
  const expect = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof InstallFault, String(error));
    assert.equal(error.status, 5);
    assert.match(error.message, pattern);
    return true;
  };
  const other = { ...wheel, file: 'tiny_wheel-2.0-cp311-cp311-manylinux_2_27_x86_64.whl', version: '2.0' };
  await assert.rejects(downloadFromIndex(other, folder()), expect(/does not list tiny_wheel-2\.0/));
  if (hasPip) {
    const said = expect(/pip cannot fetch tiny-wheel 2\.0: No matching distribution/);
    await assert.rejects(downloadWheel(other, folder()), said);
  }
  status = 500;
  await assert.rejects(downloadFromIndex(wheel, folder()), expect(/does not give .*: status 500/));
  status = 200;
  const address = process.env.PIP_INDEX_URL;
  process.env.PIP_INDEX_URL = 'http://127.0.0.1:9/simple';
  await assert.rejects(downloadFromIndex(wheel, folder()), expect(/ECONNREFUSED/));
  if (hasPip) await assert.rejects(downloadWheel(wheel, folder()), expect(/pip cannot fetch/));
  process.env.PIP_INDEX_URL = address;
});

test('a page is searched for the file, not trusted', () => {
  const html = `<a href="x/other.whl">other</a> <a rel="a" href='../a%2Bb/${file}?x=1&amp;y=2#sha256=0'>${file}</a>`;
  assert.equal(findFile('text/html', html, file), `../a%2Bb/${file}?x=1&y=2`);
  assert.equal(findFile('text/html', '<a href=', file), null);
  assert.equal(
    findFile('application/json', JSON.stringify({ files: [{ filename: file, url: 7 }] }), file),
    null,
  );
  assert.equal(findFile('application/json', '{}', file), null);
});
