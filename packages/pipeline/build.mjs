// Builds build/retrain-tfjs/: the recipe runtime with everything it depends on, in one folder that needs only a node
// binary. A sandbox sees no checkout and no node_modules, and Node 20 strips no types; so the worker mounts this folder
// read-only and puts its bin/ on PATH. Idempotent: quick when nothing it is made of has changed.
//
//   bin/retrain-tfjs        sh launcher; $RETRAIN_NODE, else node from PATH
//   lib/main.mjs            the command        lib/retrain-tfjs.mjs   what recipes import
//   lib/*.wasm              tfjs's WebAssembly and our own kernels.wasm (packages/pipeline/wasm/)
//   manifest.json           { version, sha256, files: [{ path, bytes, sha256 }], inputsSha256 }
//                           sha256 is that of the lines `<sha256>  <path>\n`, sorted by path, without the manifest itself
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, version as esbuildVersion } from 'esbuild';

const room = fileURLToPath(new URL('.', import.meta.url));
const root = join(room, '../..');
const out = join(root, 'build/retrain-tfjs');
const require = createRequire(import.meta.url);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

function* filesBelow(folder, prefix = '') {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (entry.isDirectory()) yield* filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`);
    else yield prefix + entry.name;
  }
}

const { version, dependencies } = readJson(join(room, 'package.json'));

/** Digest over all that the folder is made of: our sources, this script, the pinned dependencies, esbuild. */
function inputsDigest() {
  const sources = [...filesBelow(join(room, 'src'))].filter((path) => !path.endsWith('.test.ts'));
  const lines = ['build.mjs', 'LICENSE', 'wasm/kernels.wasm', ...sources.map((path) => `src/${path}`)].map(
    (path) => `${sha256(readFileSync(join(room, path)))}  ${path}`,
  );
  return sha256([...lines, version, JSON.stringify(dependencies), esbuildVersion].join('\n'));
}

const launcher = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "\${RETRAIN_NODE:-node}" "$here/../lib/main.mjs" "$@"
`;

// tfjs's CommonJS files are bundled into modules: they still ask for require and for the folder of their .wasm.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url), __filename = __fileURLToPath(import.meta.url), __dirname = __fileURLToPath(new URL('.', import.meta.url)).slice(0, -1);`;

async function make(folder, inputsSha256) {
  await build({
    absWorkingDir: root,
    entryPoints: { main: join(room, 'src/bundle-entry.ts'), 'retrain-tfjs': join(room, 'src/api.ts') },
    outdir: join(folder, 'lib'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['main'],
    banner: { js: banner },
    // tfjs marks as free of side effects what registers its kernels on import.
    ignoreAnnotations: true,
    legalComments: 'eof',
    logLevel: 'warning',
  });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/retrain-tfjs'), launcher, { mode: 0o755 });
  const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  for (const name of readdirSync(wasm).filter((file) => file.endsWith('.wasm'))) {
    cpSync(join(wasm, name), join(folder, 'lib', name));
  }
  cpSync(join(room, 'wasm/kernels.wasm'), join(folder, 'lib/kernels.wasm'));
  cpSync(join(room, 'LICENSE'), join(folder, 'LICENSE'));
  const files = [...filesBelow(folder)].sort().map((path) => {
    const bytes = readFileSync(join(folder, path));
    return { path, bytes: bytes.length, sha256: sha256(bytes) };
  });
  const digest = sha256(files.map((file) => `${file.sha256}  ${file.path}\n`).join(''));
  const manifest = { version, sha256: digest, files, inputsSha256 };
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function isFresh(inputsSha256) {
  const path = join(out, 'manifest.json');
  if (!existsSync(path)) return false;
  const manifest = readJson(path);
  return (
    manifest.inputsSha256 === inputsSha256 &&
    manifest.files.every((file) => {
      const at = join(out, file.path);
      return existsSync(at) && sha256(readFileSync(at)) === file.sha256;
    })
  );
}

const inputsSha256 = inputsDigest();
if (!isFresh(inputsSha256)) {
  const part = `${out}.${process.pid}.part`;
  try {
    mkdirSync(part, { recursive: true });
    const manifest = await make(part, inputsSha256);
    // Two builders at once make the same bytes: whoever comes last replaces equal by equal.
    const old = `${out}.${process.pid}.old`;
    if (existsSync(out)) renameSync(out, old);
    renameSync(part, out);
    rmSync(old, { recursive: true, force: true });
    console.error(`built build/retrain-tfjs ${manifest.version} (${manifest.sha256.slice(0, 12)})`);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
