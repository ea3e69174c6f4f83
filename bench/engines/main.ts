// npm run bench:engines: speed of every engine beside PyTorch, and where the same seed gives the same bits. Writes
// docs/reference/engines.md unless --no-page.
//   --only ENGINE   that engine and the peer only (no page)
//   --net NAME      that net only (no page)
//   --rounds N      rounds of about 0.7 s an engine; 10 unless said otherwise
//   --speed-only    without the reproducibility map (no page)
import { parseArgs } from 'node:util';
import { openProgress } from '../progress.ts';
import { netNamed, nets } from './nets.ts';
import { writePage } from './page.ts';
import { pytorchPython } from './pytorch.ts';
import { measureBits } from './reproducibility.ts';
import { measureSpeed, type SpeedRow } from './speed.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    net: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    'speed-only': { type: 'boolean', default: false },
    'no-page': { type: 'boolean', default: false },
  },
});

const python = pytorchPython();
const chosen = values.net ? [netNamed(values.net)] : nets;
const rounds = Number(values.rounds);
const rows: SpeedRow[] = [];
const progress = openProgress('rounds');
const total = chosen.length * 2 * (rounds + 1);
let done = 0;
progress(0, total);
const figure = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '-').padStart(8);
for (const net of chosen) {
  for (const threads of ['one', 'all'] as const) {
    const told = (): void => progress(++done, total);
    const options = { rounds, blockMs: 700, told, ...(values.only ? { only: values.only } : {}) };
    const measured = await measureSpeed(net, threads, python, options);
    rows.push(...measured);
    console.log(
      `\n${net.title}, ${threads === 'one' ? 'one core' : 'all cores'}: ms a step, median and minimum; PyTorch's through it`,
    );
    for (const { key, median, minimum, ratio, note } of measured) {
      const ratios = ratio ? `${figure(ratio.median)}${figure(ratio.minimum)}` : ' '.repeat(16);
      console.log(`  ${key.padEnd(36)}${figure(median)}${figure(minimum)}${ratios}  ${note ?? ''}`);
    }
  }
}
const whole = !values.net && !values.only && !values['speed-only'];
const bits = whole ? await measureBits() : [];
if (whole && !values['no-page']) {
  writePage(rows, bits);
  console.log('\nwrote docs/reference/engines.md');
}
