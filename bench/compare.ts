// What `retrain diff` costs on two files of 1 GiB, beside reading both once with sha256sum.
//   npm run bench:compare [-- --mebibytes N]
// Fails beyond 400 MiB of peak RSS and below half of sha256sum's speed.
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const mebi = 2 ** 20;
const leastRatio = 0.5;
const mostResident = 400 * mebi;
const tensors = 16;
const passes = 3;

const { values } = parseArgs({ options: { mebibytes: { type: 'string', default: '1024' } } });
const fileBytes = Number(values.mebibytes) * mebi;

/** Values near 1 in no order; `by` numbers the files, so that no pair is equal. A stretch of 16 MiB that is written over and over. */
const stretchOf = (by: number): Buffer => {
  const floats = new Float32Array((16 * mebi) / 4);
  let state = by;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    floats[i] = (state / 2 ** 31 - 1) * 0.05;
  }
  return Buffer.from(floats.buffer);
};

/** Dense: what is sparse reads faster than any file of weights would. */
const writeModel = (path: string, by: number): void => {
  const each = fileBytes / tensors;
  const header: Record<string, unknown> = {};
  for (let i = 0; i < tensors; i++) {
    header[`layer.${i}.weight`] = {
      dtype: 'F32',
      shape: [each / 4 / 1024, 1024],
      data_offsets: [i * each, (i + 1) * each],
    };
  }
  let text = JSON.stringify(header);
  text = text.padEnd(Math.ceil(text.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, Buffer.from(text)]));
  const stretch = stretchOf(by);
  for (let at = 0; at < fileBytes; at += stretch.length) {
    writeSync(file, stretch, 0, Math.min(stretch.length, fileBytes - at));
  }
  ftruncateSync(file, 8 + text.length + fileBytes);
  closeSync(file);
};

interface Timed {
  seconds: number;
  residentBytes: number;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-compare-'));
const timed = (argv: string[], expected: number): Timed => {
  // The children's peak as the kernel counted it, told by a parent that has no other child.
  const report = join(folder, 'report');
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M', '-o', report, ...argv], {
    encoding: 'utf8',
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== expected) throw new Error(`${argv[0]} ended with ${status}: ${stderr}`);
  return { seconds, residentBytes: 1024 * Number(readFileSync(report, 'utf8').trim().split('\n').at(-1)) };
};

try {
  const paths = ['a', 'b'].map((name) => join(folder, `${name}.safetensors`));
  paths.forEach((path, i) => {
    writeModel(path, i + 1);
  });
  const cli = fileURLToPath(new URL('../apps/cli/bin/retrain.mjs', import.meta.url));
  const sums: Timed[] = [];
  const diffs: Timed[] = [];
  for (let pass = 0; pass < passes; pass++) {
    sums.push(timed(['sha256sum', ...paths], 0));
    // 6: the files differ, as they should.
    diffs.push(timed([process.execPath, cli, 'diff', '--json', ...paths], 6));
  }
  const best = (runs: Timed[]): number => Math.min(...runs.map(({ seconds }) => seconds));
  const resident = Math.max(...diffs.map(({ residentBytes }) => residentBytes));
  const ratio = best(sums) / best(diffs);
  console.log(`two files of ${fileBytes / mebi} MiB, ${passes} passes in turns, page cache warm`);
  console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`);
  console.log(`sha256sum     ${best(sums).toFixed(2)} s`);
  console.log(
    `retrain diff  ${best(diffs).toFixed(2)} s, peak RSS ${Math.round(resident / mebi)} MiB (limit ${mostResident / mebi})`,
  );
  console.log(`speed         ${ratio.toFixed(2)} × that of sha256sum (at least ${leastRatio})`);
  if (ratio < leastRatio || resident > mostResident) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
