// Every engine beside PyTorch on each net, on one thread and on all, interleaved: what `npm run bench:engines` measures.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { NetSpec } from './nets.ts';
import { type Contestant, summary, type Timing, timed } from './timed.ts';

export interface SpeedRow {
  net: string;
  threads: 'one' | 'all';
  key: string;
  label: string;
  note: string | null;
  median: number;
  minimum: number;
  steps: number;
  /** PyTorch's time through this one's: above 1 is quicker than PyTorch. Null where either is missing. */
  ratio: { median: number; minimum: number } | null;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const allCores = cpus().map((_, core) => core);

const child = (engine: string, net: NetSpec, mode: 'compiled' | 'eager'): string[] => [
  process.execPath,
  '--import',
  'tsx',
  here('./timed-child.ts'),
  engine,
  net.name,
  mode,
];

/** Without these the peer's libraries take all cores even where one thread is asked for. */
const libraries = (threads: number): Record<string, string> =>
  Object.fromEntries(
    ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'].map((name) => [name, String(threads)]),
  );

const tensorflow = (intraOp: number, interOp: number): Record<string, string> => ({
  TF_NUM_INTRAOP_THREADS: String(intraOp),
  TF_NUM_INTEROP_THREADS: String(interOp),
});

/** Who runs on a net: `one` pins all to one core, `all` gives each all cores. */
function contestants(net: NetSpec, threads: 'one' | 'all', python: string | null): Contestant[] {
  const cores = threads === 'one' ? [allCores.at(-1)!] : allCores;
  const count = cores.length;
  const list: Contestant[] = [];
  if (python !== null) {
    const command = [python, here('./pytorch.py'), JSON.stringify(net), String(count)];
    list.push({ key: 'PyTorch', command, env: libraries(count), cores });
    list.push({ key: 'PyTorch, fused Adam', command: [...command, 'fused'], env: libraries(count), cores });
    if (net.input.length === 3) {
      const last = [...command, 'fused', 'channels-last'];
      list.push({ key: 'PyTorch, fused Adam, channels last', command: last, env: libraries(count), cores });
    }
  }
  for (const mode of ['compiled', 'eager'] as const) {
    const command = child('tfjs-node', net, mode);
    list.push({ key: `tfjs-node ${mode}`, command, env: tensorflow(count, count === 1 ? -1 : count), cores });
    if (count > 1 && mode === 'compiled') {
      list.push({ key: `tfjs-node ${mode}, 1 intra-op thread`, command, env: tensorflow(1, -1), cores });
    }
  }
  // wasm has one thread: its runs go side by side, one a core.
  if (threads === 'one') {
    for (const mode of ['compiled', 'eager'] as const) {
      list.push({ key: `wasm ${mode}`, command: child('wasm', net, mode), cores });
    }
  }
  list.push({
    key: 'tfjs-node-gpu compiled',
    command: child('tfjs-node-gpu', net, 'compiled'),
    cores: allCores,
  });
  list.push({ key: 'webgpu', command: child('webgpu', net, 'compiled'), cores: allCores });
  return list;
}

export async function measureSpeed(
  net: NetSpec,
  threads: 'one' | 'all',
  python: string | null,
  options: { rounds: number; blockMs: number; only?: string; told: () => void },
): Promise<SpeedRow[]> {
  const wanted = contestants(net, threads, python).filter(
    ({ key }) => options.only === undefined || key.startsWith('PyTorch') || key.startsWith(options.only),
  );
  const timings = await timed(wanted, options);
  const figures = (timing?: Timing) => (timing && timing.ms.length > 0 ? summary(timing.ms) : null);
  const peer = figures(timings.find(({ key }) => key === 'PyTorch'));
  return timings.map((timing) => {
    const own = figures(timing);
    return {
      net: net.name,
      threads,
      key: timing.key,
      label: timing.label,
      note: timing.note,
      median: own?.median ?? Number.NaN,
      minimum: own?.minimum ?? Number.NaN,
      steps: own?.steps ?? 0,
      ratio: own && peer ? { median: peer.median / own.median, minimum: peer.minimum / own.minimum } : null,
    };
  });
}
