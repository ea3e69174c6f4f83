// Makes prisma/generated from schema.prisma: an explicit step, since no install script runs here. Quick when fresh.
//
// Prisma's CLI fetches a native schema engine before every command, and its host may be out of reach. `generate` itself
// needs no engine (it is all WASM), only the promise of one: PRISMA_SCHEMA_ENGINE_BINARY must name a file that exists.
// We name this very file, which nothing will run. Never name /bin/true: with it `migrate deploy` "succeeds" having done
// nothing (docs/decisions/0401-own-migration-runner.md).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const room = fileURLToPath(new URL('.', import.meta.url));
const stampPath = `${room}generated/stamp`;
const require = createRequire(import.meta.url);
const cli = require.resolve('prisma/package.json').replace(/package\.json$/, 'build/index.js');

const stamp = createHash('sha256')
  .update(readFileSync(`${room}schema.prisma`))
  .update(readFileSync(self))
  .update(require('prisma/package.json').version)
  .digest('hex');

const isFresh = () => existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp;

if (!isFresh()) {
  // Two tests may come here at once: each makes its own folder, and the last rename wins over an equal one.
  const temporary = `${room}generated.${process.pid}`;
  const schemaPath = `${room}generated.${process.pid}.prisma`;
  try {
    const schema = readFileSync(`${room}schema.prisma`, 'utf8').replace(
      '"./generated"',
      JSON.stringify(temporary),
    );
    writeFileSync(schemaPath, schema);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cli, 'generate', '--schema', schemaPath],
      {
        cwd: room,
        encoding: 'utf8',
        env: {
          ...process.env,
          PRISMA_SCHEMA_ENGINE_BINARY: self,
          PRISMA_HIDE_UPDATE_MESSAGE: '1',
          CHECKPOINT_DISABLE: '1',
          npm_config_loglevel: 'error',
        },
      },
    );
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}`);
      console.error('prisma/generate: the client could not be made');
      process.exit(1);
    }
    writeFileSync(`${temporary}/stamp`, stamp);
    if (!isFresh()) {
      rmSync(`${room}generated`, { recursive: true, force: true });
      renameSync(temporary, `${room}generated`);
    }
  } finally {
    rmSync(schemaPath, { force: true });
    rmSync(temporary, { recursive: true, force: true });
  }
}
