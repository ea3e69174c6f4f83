// The reproducibility map: engine × form of the step × threads × Node version, each in two processes of its own; and how far
// each lies from the plain JavaScript engine.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeBinary, nodeVersions } from '../../tests/support/node-binaries.ts';
import { openProgress } from '../progress.ts';
import type { NetSpec } from './nets.ts';

export interface BitsRow {
  net: string;
  engine: string;
  mode: string;
  threads: number;
  node: string;
  version: string;
  device: string;
  determinism: string;
  /** Digest of all weights after the last count of steps; null where it could not run. */
  digest: string | null;
  /** Whether a second process gave the same bytes after every count of steps. */
  rerunEqual: boolean;
  /** Relative L2 distance of all weights to those of the `cpu` engine, by count of steps. */
  drift: Record<string, number>;
  note: string | null;
}

/** Small enough for plain JavaScript to take a thousand steps. */
const mapNets: readonly NetSpec[] = [
  {
    name: 'MLP 250-128-5, batch 64',
    title: '',
    input: [250],
    batch: 64,
    classes: 5,
    layers: [
      { kind: 'dense', units: 128, activation: 'relu' },
      { kind: 'dense', units: 5, activation: 'linear' },
    ],
  },
  {
    name: 'conv 4-8 on 12×12, batch 16',
    title: '',
    input: [12, 12, 1],
    batch: 16,
    classes: 10,
    layers: [
      { kind: 'conv', filters: 4, size: 3 },
      { kind: 'pool', size: 2 },
      { kind: 'conv', filters: 8, size: 3 },
      { kind: 'pool', size: 2 },
      { kind: 'flatten' },
      { kind: 'dense', units: 10, activation: 'linear' },
    ],
  },
];

const counts = [1, 100, 1000];
const cores = cpus().length;

interface Cell {
  engine: string;
  mode: 'compiled' | 'eager';
  threads: number;
}

const cells: readonly Cell[] = [
  { engine: 'cpu', mode: 'eager', threads: 1 },
  { engine: 'wasm', mode: 'eager', threads: 1 },
  { engine: 'wasm', mode: 'compiled', threads: 1 },
  ...[...new Set([1, cores])].flatMap((threads) =>
    (['eager', 'compiled'] as const).map((mode) => ({ engine: 'tfjs-node', mode, threads })),
  ),
  { engine: 'tfjs-node-gpu', mode: 'compiled', threads: 1 },
  { engine: 'webgpu', mode: 'eager', threads: 1 },
];

type Answer = { unavailable?: string; digests: Record<string, string> } & Record<string, string | null>;

const child = fileURLToPath(new URL('./bits-child.ts', import.meta.url));

async function trained(net: NetSpec, cell: Cell, node: string, folder: string): Promise<Answer> {
  const args = ['--import', 'tsx', child, cell.engine, JSON.stringify(net), cell.mode, folder];
  const { stdout } = await promisify(execFile)(node, [...args, ...counts.map(String)], {
    env: {
      ...process.env,
      TF_NUM_INTRAOP_THREADS: String(cell.threads),
      TF_NUM_INTEROP_THREADS: String(cell.threads),
    },
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer;
}

const weights = (folder: string, count: number): Float32Array => {
  const bytes = readFileSync(join(folder, `${count}.f32`));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

const distance = (a: Float32Array, b: Float32Array): number => {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference / size);
};

/** Measures the whole map; the cells that cannot run here say why. */
export async function measureBits(): Promise<BitsRow[]> {
  const rows: BitsRow[] = [];
  const work = mkdtempSync(join(tmpdir(), 'retrain-bits-'));
  const progress = openProgress('reproducibility');
  const total = mapNets.length * cells.length * nodeVersions.length;
  let done = 0;
  progress(0, total);
  try {
    for (const net of mapNets) {
      let reference: string | null = null;
      for (const cell of cells) {
        for (const node of nodeVersions) {
          const row: BitsRow = {
            ...{ net: net.name, ...cell, node, version: '', device: '', determinism: '' },
            ...{ digest: null, rerunEqual: false, drift: {}, note: null },
          };
          rows.push(row);
          progress(++done, total);
          const binary = nodeBinary(node);
          if (binary === null) {
            row.note = 'this version of Node cannot be fetched here';
            continue;
          }
          const folder = mkdtempSync(join(work, 'run-'));
          const first = await trained(net, cell, binary, folder);
          if (first.unavailable) {
            row.note = first.unavailable;
            continue;
          }
          reference ??= folder;
          for (const count of counts) {
            row.drift[count] = distance(weights(folder, count), weights(reference, count));
          }
          const again = await trained(net, cell, binary, mkdtempSync(join(work, 'run-')));
          row.digest = first.digests[counts.at(-1)!]!;
          row.rerunEqual = counts.every((count) => first.digests[count] === again.digests[count]);
          Object.assign(row, {
            version: first.version,
            device: first.device,
            determinism: first.determinism,
          });
          row.note = first.mode === cell.mode ? null : `eager: ${first.reason}`;
        }
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return rows;
}
