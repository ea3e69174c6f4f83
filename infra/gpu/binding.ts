// The binding: one g++ line over tfjs-node's C++ against the two libraries, and tfjs-node's JavaScript beside it.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, onPath, run } from './command.ts';
import { InstallFault } from './fault.ts';
import { libraries } from './parts.ts';

/** $CXX, else g++. Throws before anything is fetched where there is none. */
export function compiler(): string {
  const name = process.env.CXX || 'g++';
  const path = onPath(name);
  if (path) return path;
  throw new InstallFault(
    'tools',
    `there is no C++ compiler (${name})`,
    'apt-get install g++, or name one by CXX',
  );
}

/** Takes symbols away that only a debugger reads: 788 MB become 583. Left as they are where there is no `strip`. */
export async function stripLibraries(folder: string): Promise<void> {
  const strip = onPath('strip');
  if (strip === null) return;
  for (const name of libraries) {
    const { status, said } = await run(strip, ['--strip-unneeded', join(folder, 'deps/lib', name)]);
    if (status === 0) continue;
    if (/No space left/.test(said)) {
      throw new InstallFault(
        'disk',
        `the disk of ${folder} is full`,
        'make room, or choose another by --folder PATH',
      );
    }
    throw new InstallFault(
      'build',
      `strip fails: ${lastLine(said)}`,
      'take binutils of your distribution, or none',
    );
  }
}

/** Sessions that leave graphs as they are written. */
const sessionOptions = fileURLToPath(new URL('session-options.h', import.meta.url));

/** `sources`: tfjs-node's unpacked package; `headers`: that of node-api-headers. Needs `include/` and `deps/lib/` in the folder. */
export async function compileBinding(folder: string, sources: string, headers: string): Promise<void> {
  const to = join(folder, 'lib/napi-v8');
  mkdirSync(to, { recursive: true });
  const { status, said } = await run(compiler(), [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-w'],
    // The same compiler makes the same bytes, wherever it works.
    `-ffile-prefix-map=${sources}=.`,
    ...['-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
    ...['-include', sessionOptions],
    ...[`-I${folder}/include`, `-I${headers}/include`, `-I${sources}`],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(sources, 'binding', file)),
    ...['-o', join(to, 'tfjs_binding.node')],
    ...[`-L${folder}/deps/lib`, ...libraries.map((name) => `-l:${name}`)],
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  rmSync(join(folder, 'include'), { recursive: true });
  if (status === 0) return;
  throw new InstallFault(
    'build',
    `the binding does not compile: ${lastLine(said, /error/)}`,
    'take g++ 9 or newer (C++17), by CXX=… if there are several',
  );
}

const ourTfjs = `// The copy of tfjs that opened this folder: packages/pipeline/src/engine/tensorflow/binding.ts.
module.exports = globalThis[Symbol.for('retrain-tfjs.tf')];
`;

/** tfjs-node's backend and kernels, with names in node_modules/ that answer the tfjs of the process that loads them. */
export function placeJavaScript(folder: string, sources: string): void {
  const isTest = (path: string): boolean => /(_test|run_tests)(\.d)?\.(js|ts)$/.test(path);
  cpSync(join(sources, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !isTest(path) && !path.endsWith('.d.ts'),
  });
  // Protocol buffers of TensorBoard's histograms, the only use of 5 kinds of message: they would want google-protobuf.
  writeFileSync(join(folder, 'dist/proto/api_pb.js'), 'module.exports = {};\n');
  for (const name of ['tfjs', 'tfjs-core']) {
    const place = join(folder, 'node_modules/@tensorflow', name);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'index.js'), ourTfjs);
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "commonjs" }\n');
}
