// kernels.wasm is what its source makes, and owns no memory.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compile } from '../../../wasm/build.mjs';

const committed = readFileSync(fileURLToPath(new URL('../../../wasm/kernels.wasm', import.meta.url)));

test('the committed module is what asc makes of its source', async () => {
  const made: Uint8Array = await compile();
  assert.ok(committed.equals(made), 'run `node packages/pipeline/wasm/build.mjs` and commit kernels.wasm');
});

test('the module imports a memory and nothing else', () => {
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(committed)), [
    { module: 'env', name: 'memory', kind: 'memory' },
  ]);
});

test('the module holds no data, no globals, no table and no start function', () => {
  // Sections by their numbers (WebAssembly core specification, 5.5): types, imports, functions, exports, code; 0 is custom.
  const sections: number[] = [];
  for (let at = 8; at < committed.length; ) {
    sections.push(committed[at++]!);
    let size = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = committed[at++]!;
      size += (byte & 127) * 2 ** shift;
      shift += 7;
    } while (byte > 127);
    at += size;
  }
  assert.deepEqual(
    sections.filter((section) => section !== 0),
    [1, 2, 3, 7, 10],
  );
});
