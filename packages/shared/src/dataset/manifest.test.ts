import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetDigest, manifestText } from './manifest.ts';

const files = [
  { path: 'b.gz', sha256: 'b'.repeat(64), bytes: 2, uncompressed: true },
  { path: 'a/x', sha256: 'a'.repeat(64), bytes: 1, uncompressed: false },
];

test('the manifest is sorted, and anyone can make it with plain tools', () => {
  assert.equal(manifestText(files), `${'a'.repeat(64)} 1 plain a/x\n${'b'.repeat(64)} 2 uncompressed b.gz\n`);
  // By `sha256sum` over the two lines above.
  assert.equal(datasetDigest({ files }), 'd8450e86b9de6255f102737a9baecd761990e2f789d330a4c75683b39b72dc87');
  assert.equal(datasetDigest({ files: [...files].reverse() }), datasetDigest({ files }));
});

test('every part of a file’s line counts', () => {
  const digests = [
    {},
    { path: 'c.gz' },
    { sha256: 'c'.repeat(64) },
    { bytes: 3 },
    { uncompressed: false },
  ].map((change) => datasetDigest({ files: [{ ...files[0]!, ...change }, files[1]!] }));
  assert.equal(new Set(digests).size, digests.length);
});
