/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The alarms beside a verdict, each with its evidence: words, class, and the picture of a recovered trigger.
import { alarmWords } from '@retraind/shared/verdict/glossary';
import type { Verdict } from '@retraind/shared/wire/verdict';

/** Where the pictures of a job lie, by digest. */
export const pictureHref = (jobHref: string, sha256: string): string =>
  `${jobHref}/pictures/${encodeURIComponent(sha256)}`;

export const Alarms = ({ alarms, jobHref }: { alarms: Verdict['alarms']; jobHref: string }) => (
  <>
    {alarms.map(({ name, detail, class: label, pictureSha256 }) => (
      <div class="alarm" role="note">
        {pictureSha256 !== undefined && (
          <TriggerPicture href={pictureHref(jobHref, pictureSha256)} label={label} />
        )}
        <p>
          <strong>
            {name}
            {label !== undefined && ` (class ${label})`}
          </strong>{' '}
          {detail}
        </p>
        <p class="meaning">Alarm: {alarmWords[name] ?? 'not known to this version'}.</p>
      </div>
    ))}
  </>
);

/** The pattern under its mask, as the search found it in the shipped model, and the mask beside it; some dozen pixels, shown larger. */
export const TriggerPicture = ({ href, label }: { href: string; label: number | undefined }) => (
  <a href={href}>
    <img
      class="trigger"
      src={href}
      height="96"
      loading="lazy"
      alt={`The trigger${label === undefined ? '' : ` into class ${label}`} that was recovered from the shipped model: the pattern under its mask, and the mask beside it`}
    />
  </a>
);
