// What the bundle runs on a machine with a GPU, by its own node: the suite of every engine that opens, then the benchmark
// beside PyTorch where this machine has it. Writes results.json beside itself.
//   ./run [--suite | --bench] [--rounds N]
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nets } from '../engines/nets.ts';
import { type Contestant, summary, timed } from '../engines/timed.ts';
import { cudaDevices, noDevice, watchDraw } from './machine.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    suite: { type: 'boolean', default: false },
    bench: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
  },
});
const both = values.suite === values.bench;
const engineNames = ['tfjs-node-gpu', 'webgpu', 'tfjs-node', 'wasm'];

const devices = cudaDevices();
console.log(devices.length > 0 ? devices.map((line) => `CUDA device: ${line}`).join('\n') : noDevice());
console.log(`${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.version}`);

interface SuiteResult {
  engine: string;
  passed: number;
  failed: number;
  /** The reason where the engine does not open. */
  skipped: string | null;
}

function runSuite(engine: string): SuiteResult {
  const { stdout, stderr, status } = spawnSync(process.execPath, [here('suite.mjs'), engine], {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    env: { ...process.env, NODE_OPTIONS: '--test-reporter=tap' },
  });
  const count = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0);
  const skipped = count('pass') === 0 ? (/# SKIP (.+)$/m.exec(stdout)?.[1] ?? null) : null;
  const failed = count('fail') || (status === 0 ? 0 : 1);
  if (failed > 0) {
    const names = [...stdout.matchAll(/^not ok \d+ - (.+)$/gm)].map((match) => match[1]);
    console.log(`${engine}: ${names.join('; ') || stderr.trim().split('\n').at(-1)}`);
  }
  return { engine, passed: count('pass'), failed, skipped };
}

const suite: SuiteResult[] = [];
if (both || values.suite) {
  for (const engine of engineNames) {
    const result = runSuite(engine);
    suite.push(result);
    console.log(
      result.skipped === null
        ? `suite on ${engine}: ${result.passed} passed, ${result.failed} failed`
        : `suite on ${engine}: skipped, ${result.skipped}`,
    );
  }
}

/** A Python with PyTorch: $RETRAIND_BENCH_PYTHON, else python3 where it has it. */
function peer(): string | null {
  const python = process.env.RETRAIND_BENCH_PYTHON || 'python3';
  return spawnSync(python, ['-c', 'import torch']).status === 0 ? python : null;
}

function contestants(net: (typeof nets)[number], python: string | null): Contestant[] {
  const cores = cpus().map((_, core) => core);
  const list: Contestant[] = engineNames.flatMap((engine) =>
    (['compiled', 'eager'] as const).map((mode) => ({
      key: `${engine} ${mode}`,
      command: [process.execPath, here('timed-child.mjs'), engine, net.name, mode],
      cores,
    })),
  );
  if (python === null) return list;
  const command = [python, here('pytorch.py'), JSON.stringify(net), String(cores.length)];
  return [
    { key: 'PyTorch', command, cores },
    { key: 'PyTorch, fused Adam', command: [...command, 'fused'], cores },
    ...list,
  ];
}

const bench: object[] = [];
if (both || values.bench) {
  const python = peer();
  if (python === null) console.log('no PyTorch on this machine: times without the peer');
  for (const net of nets) {
    console.log(`\n${net.title}: ms a step, median and minimum`);
    const stopWatching = watchDraw();
    const timings = await timed(contestants(net, python), {
      rounds: Number(values.rounds),
      blockMs: 500,
      told: () => {},
    });
    const draw = stopWatching();
    for (const { key, label, note, ms } of timings) {
      const figures = ms.length > 0 ? summary(ms) : null;
      bench.push({ net: net.name, key, label, note, ...figures, draw });
      const numbers = figures
        ? `${figures.median.toFixed(2).padStart(8)}${figures.minimum.toFixed(2).padStart(8)}`
        : '-'.padStart(16);
      console.log(`  ${key.padEnd(24)}${numbers}  ${note ?? ''}`);
    }
    if (draw) console.log(`  while all took turns: ${draw.power} W, ${draw.utilisation} % busy`);
  }
}

writeFileSync(
  here('../results.json'),
  `${JSON.stringify({ at: new Date().toISOString(), devices, node: process.version, suite, bench }, null, 2)}\n`,
);
console.log(`\nwrote ${here('../results.json')}`);
if (devices.length === 0) console.log(`${noDevice()}: nothing above was computed on one`);
process.exitCode = suite.some(({ failed }) => failed > 0) ? 1 : 0;
