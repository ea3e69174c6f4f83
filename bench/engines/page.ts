// docs/reference/engines.md from what was measured.
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { nets } from './nets.ts';
import type { BitsRow } from './reproducibility.ts';
import type { SpeedRow } from './speed.ts';

/** Of the code that is measured: read before the long run, during which a checkout may move. */
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD']).stdout?.toString().trim();

const number = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');

function speedTable(rows: SpeedRow[], net: string, threads: 'one' | 'all'): string[] {
  const here = rows.filter((row) => row.net === net && row.threads === threads);
  const able = here.filter((row) => row.steps > 0);
  return [
    '| | ms a step, median | minimum | of PyTorch, medians | minima | steps |',
    '|---|---|---|---|---|---|',
    ...able.map(
      ({ key, median, minimum, ratio, steps, note }) =>
        `| ${key}${note ? ` (${note})` : ''} | ${number(median)} | ${number(minimum)} | ${ratio ? `${number(ratio.median)} ×` : ''} | ${ratio ? `${number(ratio.minimum)} ×` : ''} | ${steps} |`,
    ),
  ];
}

const short = (digest: string | null): string => (digest ? `\`${digest.slice(0, 8)}\`` : '–');

function bitsTable(rows: BitsRow[], net: string): string[] {
  return [
    '| engine | step | threads | Node | library | bits after 1,000 steps | same in a second process | drift from `cpu` after 1 | 100 | 1,000 |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows
      .filter((row) => row.net === net && row.digest !== null)
      .map((row) => {
        const drift = ['1', '100', '1000'].map((count) => row.drift[count]!.toExponential(1));
        const form = row.note ? `${row.mode} asked, ${row.note}` : row.mode;
        return `| ${row.engine} | ${form} | ${row.threads} | ${row.node} | ${row.version} | ${short(row.digest)} | ${row.rerunEqual ? 'yes' : '**no**'} | ${drift.join(' | ')} |`;
      }),
  ];
}

/** What could not run here, each engine once. */
function absent(speed: SpeedRow[], bits: BitsRow[]): string[] {
  const reasons = new Map<string, string>();
  for (const { key, note, steps } of speed) if (steps === 0 && note) reasons.set(key.split(' ')[0]!, note);
  for (const { engine, note, digest } of bits) if (digest === null && note) reasons.set(engine, note);
  return [...reasons].map(([engine, reason]) => `- \`${engine}\`: ${reason}`);
}

export function writePage(speed: SpeedRow[], bits: BitsRow[]): void {
  const cpu = `${cpus().length} × ${cpus()[0]?.model.trim()}`;
  const peer = speed.find(({ key }) => key === 'PyTorch')?.label ?? 'no PyTorch was there';
  const lines = [
    '# Engines: speed and bits',
    '',
    `Written by \`npm run bench:engines\` on ${new Date().toISOString().slice(0, 10)} (commit ${commit}): ${cpu}, Node ${process.versions.node}, peer ${peer}. Times move with`,
    'what else the machine does; all rows of a table took turns in one run, so trust the ratios: PyTorch’s time through the engine’s, above 1 is quicker than',
    'PyTorch with its default Adam. Every net: softmax cross entropy, Adam, a new batch fed each step, the loss read each step.',
    '',
    '## Not measured here',
    '',
    ...absent(speed, bits),
    '',
    '**`tfjs-node-gpu` has never yet been run on a CUDA device**: its library loads, and trains on the CPU where there is none.',
    '',
    '## Speed',
    ...nets.flatMap(({ name, title }) => [
      '',
      `### ${title}`,
      '',
      'One core:',
      '',
      ...speedTable(speed, name, 'one'),
      '',
      `All ${cpus().length} cores:`,
      '',
      ...speedTable(speed, name, 'all'),
    ]),
    '',
    'wasm has one thread: a farm runs one process a core.',
    '',
    '## Reproducibility map',
    '',
    'The same seed, weights and batches; the digest is over all weights. Equal digests are equal bits, whatever the row. Drift: relative L2 distance of all weights.',
    ...[...new Set(bits.map(({ net }) => net))].flatMap((net) => [
      '',
      `### ${net}`,
      '',
      ...bitsTable(bits, net),
    ]),
  ];
  const path = fileURLToPath(new URL('../../docs/reference/engines.md', import.meta.url));
  writeFileSync(`${path}.part`, `${lines.join('\n')}\n`);
  renameSync(`${path}.part`, path);
}
