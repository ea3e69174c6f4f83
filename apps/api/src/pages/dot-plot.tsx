/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The shipped model's metric among those of its retrains, with the margin around the retrains' mean.
import type { Verdict } from '@retraind/shared/wire/verdict';
import { pixel, scale, ticks } from './scale.ts';
import { figure } from './words.tsx';

const size = { width: 800, height: 112, left: 14, right: 14 };
const rowHeight = 52;

export function DotPlot({
  metric,
  margin,
}: {
  metric: NonNullable<Verdict['metric']>;
  margin: number | null;
}) {
  const band = margin === null ? [] : [metric.mean - margin, metric.mean + margin];
  const all = [metric.shipped, ...metric.retrains, ...band];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  const x = scale(low - pad, high + pad, size.left, size.width - size.right);
  const shipped = x(metric.shipped);
  const told =
    `${metric.name}: shipped ${figure(metric.shipped)}, retrains ${metric.retrains.map((value) => figure(value)).join(', ')}` +
    (margin === null ? '' : `, margin ${figure(margin)} around the mean ${figure(metric.mean)}`);
  return (
    <figure class="chart dots">
      <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={told}>
        {margin !== null && (
          <rect
            class="margin"
            x={pixel(x(band[0]!))}
            y="18"
            width={pixel(x(band[1]!) - x(band[0]!))}
            height="62"
          />
        )}
        <line class="mean" x1={pixel(x(metric.mean))} x2={pixel(x(metric.mean))} y1="18" y2="80" />
        {ticks(low - pad, high + pad, 6).map((tick) => (
          <g class="tick">
            <line x1={pixel(x(tick))} x2={pixel(x(tick))} y1="80" y2="85" />
            <text x={pixel(x(tick))} y="102" text-anchor="middle">
              {figure(tick)}
            </text>
          </g>
        ))}
        <line class="axis" x1={size.left} x2={size.width - size.right} y1="80" y2="80" />
        {metric.retrains.map((value, index) => (
          <circle
            class="retrain"
            cx={pixel(x(value))}
            // Neighbours would hide each other on one line.
            cy={rowHeight + 8 * ((index % 3) - 1)}
            r="5"
          />
        ))}
        <path class="shipped" d={`M${pixel(shipped)} ${rowHeight - 10} l9 10 l-9 10 l-9 -10 z`} />
      </svg>
      <figcaption>
        <ul class="legend">
          <li>
            <span class="key diamond" aria-hidden="true" /> shipped {figure(metric.shipped)}
          </li>
          <li>
            <span class="key circle" aria-hidden="true" /> {metric.retrains.length} retrains, mean{' '}
            {figure(metric.mean)}, sd {figure(metric.sd, 2)}
          </li>
          {margin !== null && (
            <li>
              <span class="key band" aria-hidden="true" /> margin ±{figure(margin)}
            </li>
          )}
        </ul>
      </figcaption>
    </figure>
  );
}
