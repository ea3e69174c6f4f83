// How long a suite's Sources indexes take to fetch, to read first, and to look at again unchanged.
//   npm run bench:intake [-- --sources FILE] [-- --state FOLDER]
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineSources } from '@retraind/host/apt';
import { openDebianSuite } from '@retraind/scheduler/intake/debian';

const { values } = parseArgs({ options: { sources: { type: 'string' }, state: { type: 'string' } } });
const state = values.state ?? (await mkdtemp(join(tmpdir(), 'retraind-bench-')));
const sources = values.sources ? await readFile(values.sources, 'utf8') : machineSources();
const overlays = new Map([['anthy', '']]);

const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const own = ((user + system) / 1e6).toFixed(2);
  console.log(
    `${name.padEnd(34)} ${((performance.now() - start) / 1e3).toFixed(2).padStart(7)} s, own CPU ${own} s`,
  );
  return result;
};

try {
  console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`);
  const suite = await openDebianSuite({ sources, stateFolder: state, intakeSeconds: 0 });
  const first = await timed('first reading (fetch and read)', () => suite.read(0, null, overlays));
  for (const problem of first.problems) console.log(`problem: ${problem.code}: ${problem.detail}`);
  const count = `${first.stanzas} stanzas, ${first.listed?.length ?? 0} to retrain`;
  await timed('unchanged (asked again)', () => suite.read(1, first.digest, overlays));
  await timed('read again from the lists held', () => suite.read(2, null, overlays));
  console.log(count);
} finally {
  if (!values.state) await rm(state, { recursive: true, force: true });
}
