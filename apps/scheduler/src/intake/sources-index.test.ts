import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import fc from 'fast-check';
import { SourcesReading } from './sources-index.ts';

async function* inChunks(text: string, size: number): AsyncIterable<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const read = async (text: string, overlays: string[] = [], size = 64) => {
  const reading = new SourcesReading(new Set(overlays));
  await reading.take(inChunks(text, size), 'Sources', 'beacon');
  return reading;
};

const stanza = (fields: Record<string, string>): string =>
  `${Object.entries({ Directory: 'pool/x', ...fields })
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')}\n\n`;

const index = [
  stanza({ Package: 'plain', Version: '1' }),
  stanza({ Package: 'tagged', Version: '1.0~rc1', Retrain: 'bootstrap' }),
  stanza({ Package: 'tagged', Version: '1.0', Retrain: 'bootstrap', 'Retrain-Policy': 'on-upload' }),
  stanza({ Package: 'tagged', Version: '0.9', Retrain: 'old' }),
  stanza({ Package: 'extra', Version: '9', Retrain: 'bootstrap', 'Extra-Source-Only': 'yes' }),
  stanza({ Package: 'lost-tag', Version: '1:1', Retrain: 'bootstrap' }),
  stanza({ Package: 'lost-tag', Version: '1:2' }),
  stanza({ Package: 'overlaid', Version: '1:0.4-2' }),
  stanza({ Package: 'bad-tag', Version: '1', Retrain: 'bootstrap', 'Retrain-Policy': 'sometimes' }),
].join('');

test('highest version wins, Extra-Source-Only is skipped, a newer version without tag hides an older one with', async () => {
  const reading = await read(index, ['overlaid', 'not-there']);
  assert.equal(reading.stanzas, 9);
  const listed = reading.listed();
  assert.deepEqual(
    listed.map(({ source, version, tag, faults }) => [
      source,
      version,
      tag?.policy ?? null,
      faults.length > 0,
    ]),
    [
      ['bad-tag', '1', null, true],
      ['overlaid', '1:0.4-2', null, false],
      ['tagged', '1.0', 'on-upload', false],
    ],
  );
  assert.ok(listed.every(({ beacon, directory }) => beacon === 'beacon' && directory === 'pool/x'));
});

test('several indexes of one suite are one: the highest version of all', async () => {
  const reading = await read(stanza({ Package: 'a', Version: '1', Retrain: 'bootstrap' }));
  const newer = stanza({ Package: 'a', Version: '1+deb12u1', Retrain: 'bootstrap' });
  await reading.take(inChunks(newer, 10), 'security', 'other beacon');
  assert.deepEqual(
    reading.listed().map(({ version, beacon }) => [version, beacon]),
    [['1+deb12u1', 'other beacon']],
  );
});

test('the cut of the chunks does not matter', async () => {
  const whole = (await read(index, ['overlaid'], 1 << 20)).listed();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (size) => {
      assert.deepEqual((await read(index, ['overlaid'], size)).listed(), whole);
    }),
    { numRuns: 25 },
  );
});

test('what is no Sources index is refused with file and line', async () => {
  const cases: [string, RegExp][] = [
    ['Package: a\nVersion: 1\n\nVersion: 2\n', /Sources:4: a stanza without a valid Package/],
    ['Package: a\n', /Sources:1: a has no valid Version/],
    ['Package: a\nVersion: not a version\n', /a has no valid Version/],
    ['Package: ../../etc\nVersion: 1\n', /without a valid Package/],
    ['<html>Captive portal</html>\n', /without a valid Package/],
    ['Package: a\nVersion: 1\nRetrain: b\nthis is no field\n', /not a field/],
  ];
  for (const [text, expected] of cases) {
    await assert.rejects(read(text), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, 'invalid-index', text);
      assert.match(error.detail, expected);
      return true;
    });
  }
});
