// A dry run of a release over real Sources indexes, the overlays in recipes/ and the ledger that a farm begins with: its list and sums,
// as `retrain release SUITE --dry-run` prints them. Nothing is asked for.
//   npm run bench:release [-- --sources FILE] [-- --suite NAME] [-- --time]
// --time trains each overlay once on this machine (in the sandbox), so that hours and kWh rest on a measurement.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planLines } from '@retraind/cli/release-view';
import { machineSources } from '@retraind/host/apt';
import { type Overlay, readOverlays } from '@retraind/host/overlays';
import { openDebianSuite } from '@retraind/scheduler/intake/debian';
import { estimateOf, type Timing } from '@retraind/shared/cost/estimate';
import { seedEntries } from '@retraind/shared/ledger/seed';
import { type PlannedVersion, type PlanWorld, planRelease } from '@retraind/shared/release/plan';
import { runLocalJob } from '@retraind/worker/local-job';

const { values } = parseArgs({
  options: {
    sources: { type: 'string' },
    suite: { type: 'string', default: 'bookworm' },
    time: { type: 'boolean', default: false },
  },
});
const recipes = fileURLToPath(new URL('../recipes', import.meta.url));
const state = await mkdtemp(join(tmpdir(), 'retraind-bench-'));

/** One training of an overlay, timed start to end; null where it broke, which is told. */
async function timed(source: string, version: string): Promise<Timing | null> {
  const [start, begun] = [performance.now(), new Map<number, number>()];
  const result = await runLocalJob({
    source: { packageName: source },
    overlays: recipes,
    runs: 1,
    seed: 'pilot',
    parallel: 1,
    resultsFolder: join(state, 'results'),
    cacheFolder: join(state, 'cache'),
    onEvent: (event) => {
      if (event.kind === 'run-started') begun.set(event.run, performance.now());
    },
  });
  if (result.broken) {
    console.log(`${source} could not be timed: ${result.broken.detail}`);
    return null;
  }
  // A dependence run may follow the retrain: what is timed is the job over its runs.
  const seconds = (performance.now() - Math.min(...begun.values(), performance.now())) / 1e3;
  const runs = Math.max(result.runs.length, 1);
  console.log(
    `${source} ${version}: ${runs} run(s) in ${seconds.toFixed(1)} s, ${((performance.now() - start) / 1e3).toFixed(1)} s with fetching`,
  );
  return { version, seconds: seconds / runs, gpus: 0, device: null };
}

try {
  const sources = values.sources ? await readFile(values.sources, 'utf8') : machineSources();
  const overlays = await readOverlays(recipes, ({ detail }) =>
    console.log(`an overlay is left out: ${detail}`),
  );
  const names = [...overlays.keys(), ...seedEntries.map(({ source }) => source)];
  const suite = await openDebianSuite({ sources, stateFolder: join(state, 'apt'), intakeSeconds: 0 });
  const reading = await suite.read(0, null, new Map(names.map((name) => [name, ''])));
  for (const { code, detail } of reading.problems) console.log(`problem: ${code}: ${detail}`);
  const listed = reading.listed ?? [];
  const tagged = listed.filter(({ tag }) => tag !== null).length;
  console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`);
  console.log(
    `${reading.stanzas} stanzas of ${values.suite} (Release of ${reading.date ?? 'unknown date'}): ${tagged} tagged, ${listed.filter(({ source }) => overlays.has(source)).length} with an overlay, ${listed.filter(({ source }) => seedEntries.some((one) => one.source === source)).length} in the ledger`,
  );

  const versions: PlannedVersion[] = [];
  for (const { source, version, tag } of listed) {
    const overlay: Overlay | undefined = overlays.get(source);
    // Models that the ledger names one by one do not make a package without a recipe one that could be asked for.
    const isWhole = seedEntries.some((one) => one.source === source && one.model === null);
    if (!tag && !overlay && !isWhole) continue;
    const timing = values.time && overlay && !tag ? await timed(source, version) : null;
    versions.push({
      source,
      version,
      // A package of the ledger that has no recipe is planned as if it had one: the plan says why it is refused.
      policy: tag?.policy ?? (tag ? 'on-demand' : (overlay?.recipe.policy ?? 'per-release')),
      origin: tag ? 'tag' : 'overlay',
      recipe: tag ? null : (overlay?.recipe ?? null),
      accelerators: tag?.accelerators ?? overlay?.recipe.accelerators ?? [],
      estimate: estimateOf(version, timing ? [timing] : [], []),
      job: null,
    });
  }
  const world: PlanWorld = {
    suite: values.suite,
    versions,
    faults: listed
      .filter(({ faults }) => faults.length > 0)
      .map(({ source, version, faults }) => ({ source, version, reason: faults[0]!.message })),
    ledger: seedEntries.map((entry, i) => ({
      ...entry,
      ledgerId: i + 1,
      reviewer: 'retraind',
      removedAt: null,
    })),
    budgets: [],
  };
  const plan = planRelease(world, new Date());
  console.log(`\n${planLines(JSON.parse(JSON.stringify(plan))).join('\n')}`);
} finally {
  await rm(state, { recursive: true, force: true });
}
