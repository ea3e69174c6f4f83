/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The recovered triggers: for each class the shipped model's mask beside those of the retrains, smallest of its peers first.
import type { Verdict } from '@retraind/shared/wire/verdict';
import { pictureHref, TriggerPicture } from './alarms.tsx';
import { pixel, scale, ticks } from './scale.ts';
import { figure } from './words.tsx';

type Triggers = NonNullable<Verdict['triggers']>;
type ClassFound = Extract<Triggers, { ran: true }>['classes'][number];

/** Classes drawn and listed; more would be no picture. */
const mostShown = 20;
const size = { width: 800, left: 90, right: 14, top: 6, row: 20, foot: 26 };

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Small where the shipped mask is small beside its peers': what looks most like a trigger comes first. */
const ratio = ({ maskL1, retrains }: ClassFound): number => maskL1 / Math.max(meanOf(retrains), 1e-9);

export function TriggerMasks({ triggers, jobHref }: { triggers: Triggers; jobHref: string }) {
  if (!triggers.ran) return <p class="faint">No search for triggers: {triggers.why}.</p>;
  const shown = [...triggers.classes].sort((a, b) => ratio(a) - ratio(b)).slice(0, mostShown);
  if (shown.length === 0) return null;
  const pictured = shown.filter(({ pictureSha256 }) => pictureSha256 !== null);
  return (
    <>
      <MaskPlot classes={shown} all={triggers.classes.length} />
      {pictured.length > 0 && (
        <details>
          <summary>Pictures of the triggers recovered from the shipped model</summary>
          <ul class="pictures">
            {pictured.map(({ class: label, maskL1, reached, pictureSha256 }) => (
              <li>
                <TriggerPicture href={pictureHref(jobHref, pictureSha256!)} label={label} />
                class {label}: mask {figure(maskL1, 3)}, reaches {Math.round(100 * reached)} %
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function MaskPlot({ classes, all }: { classes: ClassFound[]; all: number }) {
  const high = Math.max(...classes.flatMap(({ maskL1, retrains }) => [maskL1, ...retrains]), 1e-6);
  const x = scale(0, high * 1.04, size.left, size.width - size.right);
  const bottom = size.top + size.row * classes.length;
  const told = classes
    .slice(0, 3)
    .map(
      ({ class: label, maskL1, retrains }) =>
        `class ${label}: shipped ${figure(maskL1, 3)}, retrains ${retrains.map((mask) => figure(mask, 3)).join(', ')}`,
    )
    .join('; ');
  return (
    <figure class="chart triggers">
      <svg
        viewBox={`0 0 ${size.width} ${bottom + size.foot}`}
        role="img"
        aria-label={`Size of the smallest trigger by class. ${told}`}
      >
        {classes.map(({ class: label, maskL1, retrains }, index) => {
          const y = size.top + size.row * (index + 0.5);
          const at = pixel(x(maskL1));
          return (
            <g>
              <text class="label" x={size.left - 10} y={y + 4} text-anchor="end">
                class {label}
              </text>
              <line class="axis" x1={size.left} x2={size.width - size.right} y1={y} y2={y} />
              {retrains.map((mask) => (
                <circle class="retrain" cx={pixel(x(mask))} cy={y} r="4.5" />
              ))}
              <path class="shipped" d={`M${at} ${y - 8} l7 8 l-7 8 l-7 -8 z`} />
            </g>
          );
        })}
        {ticks(0, high * 1.04, 6).map((tick) => (
          <g class="tick">
            <line x1={pixel(x(tick))} x2={pixel(x(tick))} y1={bottom} y2={bottom + 5} />
            <text x={pixel(x(tick))} y={bottom + 19} text-anchor="middle">
              {figure(tick)}
            </text>
          </g>
        ))}
      </svg>
      <figcaption>
        Size of the smallest trigger that sends images to a class (L1 norm of its mask, in pixels): the same
        search, from the same start and images, in every model. A shipped mask far to the left of its retrains
        looks like a trigger.
        {classes.length < all &&
          ` The ${classes.length} of ${all} classes with the smallest ratio are shown.`}
        <ul class="legend">
          <li>
            <span class="key diamond" aria-hidden="true" /> shipped
          </li>
          <li>
            <span class="key circle" aria-hidden="true" /> retrains
          </li>
        </ul>
      </figcaption>
    </figure>
  );
}
