/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// Small words that many pages use: states, verdicts, times, digests. Every colour has a sign beside it.
import type { JobState, RunState } from '@retraind/shared/job/states';
import type { Rung } from '@retraind/shared/verdict/evidence';
import type { Run } from '@retraind/shared/wire/resources';

export const rungWords: Record<Rung, { sign: string; name: string; meaning: string }> = {
  'bit-identical': {
    sign: '=',
    name: 'bit-identical',
    meaning: 'A retrain gave the same tensors, bit for bit.',
  },
  'same-run': { sign: '≅', name: 'same run', meaning: 'Numerically the run that was declared.' },
  'statistically-equivalent': {
    sign: '≈',
    name: 'statistically equivalent',
    meaning: 'Behaves like a retrain, within the margin that the recipe registered.',
  },
  different: {
    sign: '≠',
    name: 'different',
    meaning: 'The shipped file and the declared pipeline disagree.',
  },
  inconclusive: { sign: '?', name: 'inconclusive', meaning: 'The runs do not suffice to say either.' },
  'not-verifiable': { sign: '–', name: 'not verifiable', meaning: 'Something that is needed is missing.' },
};

export const RungBadge = ({ rung, final = true }: { rung: Rung; final?: boolean }) => (
  <span class={`badge rung-${rung}`} title={rungWords[rung].meaning}>
    <span aria-hidden="true">{rungWords[rung].sign}</span> {rungWords[rung].name}
    {!final && ' so far'}
  </span>
);

const stateSigns: Partial<Record<JobState | RunState, string>> = {
  'needs-retrain': '·',
  waiting: '·',
  retraining: '▸',
  leased: '▸',
  judged: '✓',
  reported: '✓',
  attempted: '✕',
  failed: '✕',
  broken: '✕',
};

export const StateBadge = ({ state }: { state: JobState | RunState }) => (
  <span class={`badge state state-${state}`}>
    <span aria-hidden="true">{stateSigns[state] ?? '‖'}</span> {state}
  </span>
);

export const Moment = ({ at }: { at: string | null }) =>
  at === null ? <>–</> : <time dateTime={at}>{`${at.slice(0, 16).replace('T', ' ')} UTC`}</time>;

/** A digest whose whole text can be copied and searched, shown short. */
export const Digest = ({ sha256, href }: { sha256: string; href?: string }) => {
  const text = (
    <code class="digest" title={sha256}>
      {sha256.slice(0, 12)}
      <span class="rest">{sha256.slice(12)}</span>
    </code>
  );
  return href ? <a href={href}>{text}</a> : text;
};

export const Progress = ({ value, label }: { value: number | null; label: string }) =>
  value === null ? (
    <span class="faint">not begun</span>
  ) : (
    <span class="progress">
      <progress max={1} value={value} aria-label={label} />
      <span>{Math.round(value * 100)} %</span>
    </span>
  );

/** A number for people: enough digits to tell neighbours apart, none for show. */
export function figure(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(digits)));
}

/** p values below 1e-4 are told as such: their tails are extrapolated. */
export const pFigure = (p: number): string => (p < 1e-4 ? '< 0.0001' : p.toFixed(4));

export function bytesFigure(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  for (const [unit, size] of [
    ['KiB', 2 ** 10],
    ['MiB', 2 ** 20],
    ['GiB', 2 ** 30],
  ] as const) {
    if (bytes < size * 1024 || unit === 'GiB') return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

export function durationFigure(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A row of a facts list: a record by digest, and whether anybody has signed it. */
export const RecordRow = ({ name, record }: { name: string; record: Run['provenance'] }) =>
  record && (
    <>
      <dt>{name}</dt>
      <dd>
        <Digest sha256={record.sha256} href={record.href} />{' '}
        {!record.signed && <span class="badge taint">unsigned</span>}
      </dd>
    </>
  );
