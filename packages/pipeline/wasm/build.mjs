// Makes kernels.wasm from the AssemblyScript beside this file. Its memory is tfjs's, imported: the module owns not a byte of
// it, so no static data, no stack in memory, no globals; scratch memory comes with each call.
//   node packages/pipeline/wasm/build.mjs      writes kernels.wasm (commit it: a test compares it with its source)
import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('.', import.meta.url));
const options =
  '--optimizeLevel 3 --shrinkLevel 0 --noAssert --runtime stub --importMemory --enable simd --memoryBase 0';

/** The module's bytes; throws with the compiler's own words, a warning too. */
export async function compile() {
  let bytes;
  const { error, stderr } = await asc.main(
    ['index.ts', '--baseDir', folder, '--outFile', 'kernels.wasm', ...options.split(' ')],
    {
      writeFile: (name, contents) => {
        if (name === 'kernels.wasm') bytes = contents;
      },
    },
  );
  const words = String(stderr);
  if (error || words !== '' || !bytes) throw new Error(`asc: ${error?.message ?? 'warnings'}\n${words}`);
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await compile();
  await writeFile(`${folder}kernels.wasm.part`, bytes);
  await rename(`${folder}kernels.wasm.part`, `${folder}kernels.wasm`);
  console.error(`kernels.wasm: ${bytes.length} bytes`);
}
