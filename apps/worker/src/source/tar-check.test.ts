import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { checkTarball } from './tar-check.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-tar-'));
after(() => rmSync(room, { recursive: true, force: true }));

const tarball = async (
  name: string,
  members: (Partial<Header> & { name: string; body?: string })[],
): Promise<string> => {
  const path = join(room, `${name}.tar.gz`);
  const writer = pack();
  for (const { body, ...header } of members) writer.entry(header as Header, body ?? '');
  writer.finalize();
  await pipeline(writer, createGzip(), createWriteStream(path));
  return path;
};

test('an ordinary tarball passes, symbolic links with it', async () => {
  await checkTarball(
    await tarball('good', [
      { name: 'toy-1.0/', type: 'directory' },
      { name: 'toy-1.0/a', body: 'a' },
      { name: 'toy-1.0/link', type: 'symlink', linkname: '../elsewhere' },
      { name: 'toy-1.0/hard', type: 'link', linkname: 'toy-1.0/a' },
    ]),
  );
});

const refused: [string, Partial<Header> & { name: string; body?: string }, RegExp][] = [
  [
    'parent',
    { name: 'toy/../../etc/cron.d/x', body: 'x' },
    /member "toy\/..\/..\/etc\/cron.d\/x" would be unpacked outside/,
  ],
  ['absolute', { name: '/etc/passwd', body: 'x' }, /outside of the source tree/],
  [
    'device',
    { name: 'toy/null', type: 'character-device', devmajor: 1, devminor: 3 },
    /"toy\/null" is a character-device/,
  ],
  ['block', { name: 'toy/sda', type: 'block-device' }, /is a block-device/],
  ['fifo', { name: 'toy/fifo', type: 'fifo' }, /is a fifo/],
  ['setuid', { name: 'toy/su', mode: 0o4755, body: 'x' }, /has the mode 4755, with setuid/],
  [
    'hard',
    { name: 'toy/hard', type: 'link', linkname: '../../etc/shadow' },
    /is a hard link to ..\/..\/etc\/shadow/,
  ],
];
for (const [name, member, said] of refused) {
  test(`refuses a member: ${name}`, async () => {
    const path = await tarball(name, [{ name: 'toy/a', body: 'a' }, member]);
    await assert.rejects(checkTarball(path), (problem: Error & { code: string }) => {
      assert.equal(problem.code, 'invalid-archive');
      assert.ok(problem.message.startsWith(`${name}.tar.gz: `));
      assert.match(problem.message, said);
      return true;
    });
  });
}

test('limits on members and on decompressed bytes', async () => {
  const path = await tarball('many', [{ name: 'a', body: 'x'.repeat(100_000) }, { name: 'b' }]);
  await assert.rejects(checkTarball(path, { entries: 1, bytes: 1e9 }), {
    code: 'too-large',
    message: /more than 1 members/,
  });
  await assert.rejects(checkTarball(path, { entries: 9, bytes: 50_000 }), {
    code: 'too-large',
    message: /more than 50000 bytes/,
  });
});

test('a file that is cut off, or no tar at all', async () => {
  const path = join(room, 'broken.tar.xz');
  writeFileSync(path, Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3]));
  await assert.rejects(checkTarball(path), { code: /invalid-(archive|data)/ });
  writeFileSync(join(room, 'text.tar.gz'), 'not a tar'.repeat(200));
  await assert.rejects(checkTarball(join(room, 'text.tar.gz')), {
    code: 'invalid-archive',
    message: /text.tar.gz cannot be read/,
  });
});
