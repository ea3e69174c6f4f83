/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// Loss curves of the runs of a job in one picture, drawn by the server. Colours come from the stylesheet by class, for the
// content policy allows no style attribute.
import type { Series } from './metrics-lines.ts';
import { pixel, scale, ticks } from './scale.ts';
import { figure } from './words.tsx';

export interface Curve {
  runId: string;
  label: string;
  series: Series;
}

const size = { width: 800, height: 270, left: 46, right: 10, top: 24, bottom: 34 };
/** How many colours the stylesheet has. */
const colours = 10;

export function LossCurves({ curves }: { curves: Curve[] }) {
  if (curves.length === 0) return <p class="faint">No metrics yet.</p>;
  const points = curves.flatMap(({ series }) => series.points);
  const steps = extent(points.map(({ step }) => step));
  // The first point is a mean of the first steps: an axis from 0 says so better than one from 3.5.
  if (steps.low > 0 && steps.low < steps.high * 0.05) steps.low = 0;
  const values = extent(points.map(({ value }) => value));
  const pad = (values.high - values.low) * 0.04;
  const low = values.low >= 0 ? Math.max(0, values.low - pad) : values.low - pad;
  const x = scale(steps.low, steps.high, size.left, size.width - size.right);
  const y = scale(low, values.high + pad, size.height - size.bottom, size.top);
  const name = curves[0]!.series.name;
  const told = curves
    .map(({ label, series }) => `${label} ends at ${figure(series.points.at(-1)!.value)}`)
    .join('; ');
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={`${name} by step: ${told}`}>
        {ticks(low, values.high + pad).map((tick) => (
          <g class="tick">
            <line x1={size.left} x2={size.width - size.right} y1={pixel(y(tick))} y2={pixel(y(tick))} />
            <text x={size.left - 8} y={pixel(y(tick) + 4)} text-anchor="end">
              {figure(tick)}
            </text>
          </g>
        ))}
        {ticks(steps.low, steps.high, 6).map((tick) => (
          <text class="label" x={pixel(x(tick))} y={size.height - size.bottom + 16} text-anchor="middle">
            {figure(tick)}
          </text>
        ))}
        <text class="label" x={size.width - size.right} y={size.height - 3} text-anchor="end">
          step
        </text>
        <text class="label" x={size.left - 8} y="11" text-anchor="end">
          {name}
        </text>
        {curves.map(({ series }, index) =>
          series.points.length === 1 ? (
            <circle
              class={`curve dot c${index % colours}`}
              cx={pixel(x(series.points[0]!.step))}
              cy={pixel(y(series.points[0]!.value))}
              r="3"
            />
          ) : (
            <polyline
              class={`curve c${index % colours}`}
              points={series.points
                .map(({ step, value }) => `${pixel(x(step))},${pixel(y(value))}`)
                .join(' ')}
            />
          ),
        )}
      </svg>
      <figcaption>
        <ul class="legend">
          {curves.map(({ runId, label, series }, index) => (
            <li>
              <span class={`key c${index % colours}`} aria-hidden="true" />
              <a href={`/runs/${runId}`}>{label}</a> {figure(series.points.at(-1)!.value)}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function extent(values: number[]): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}
