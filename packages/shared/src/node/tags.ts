// What is said of a node in single words, and who says it. Runs may ask for tags; a mandatory tag keeps the node for those that
// do. What the node claims of itself is shown and attracts no work: a machine that calls itself `embargoed-data` must not be
// given such data for it. An admin's word counts, and what the farm found by itself.
import { acceleratorsOf, type Device } from '../gpu/device.ts';
import type { NodeTag as CountingTag } from '../policy/world.ts';

/** Claimed by the node, set by an admin, probed by the farm. */
export const tagProvenances = ['claimed', 'set', 'probed'] as const;
export type TagProvenance = (typeof tagProvenances)[number];

/** `vendor:nvidia`, `cuda:sm_90`, `scratch-nvme`; as it stands in a demand. */
export const tagPattern = '^[a-z0-9][a-z0-9.:+_-]{0,63}$';
/** Of one provenance. */
export const mostTags = 64;

export interface NodeTag {
  tag: string;
  provenance: TagProvenance;
  /** A person's token name, the node's id, or `farm`. */
  by: string;
  /** ISO 8601 in UTC: since when it is said. */
  at: string;
  /** Whether work that does not ask for it is kept away; only an admin may say so. */
  mandatory: boolean;
}

/** What the farm says of a node by its inventory. */
export function probedTags(inventory: { devices: readonly Device[]; replayedFrom: string | null }): string[] {
  const ways = acceleratorsOf(inventory.devices).map((way) =>
    way.kind === 'cuda'
      ? `cuda:sm_${way.capability}`
      : way.kind === 'rocm'
        ? `rocm:${way.architecture}`
        : way.kind,
  );
  const vendors = inventory.devices.map(({ vendor }) => `vendor:${vendor}`);
  const slices = inventory.devices.some(({ sliceOf }) => sliceOf !== null) ? ['sliced'] : [];
  const replayed = inventory.replayedFrom === null ? [] : ['replayed'];
  return [...new Set([...ways, ...vendors, ...slices, ...replayed])].sort();
}

/** The tags with those of one provenance replaced; what is said still keeps its date. */
export function restated(
  tags: readonly NodeTag[],
  provenance: 'claimed' | 'probed',
  words: readonly string[],
  by: string,
  at: string,
): NodeTag[] {
  const before = new Map(tags.filter((one) => one.provenance === provenance).map((one) => [one.tag, one]));
  const others = tags.filter((one) => one.provenance !== provenance);
  const said = words.map((tag) => before.get(tag) ?? { tag, provenance, by, at, mandatory: false });
  return [...others, ...said].sort(byTag);
}

/** The tags with an admin's word added or taken back. */
export function withSet(
  tags: readonly NodeTag[],
  change: { add: readonly { tag: string; mandatory: boolean }[]; remove: readonly string[] },
  by: string,
  at: string,
): NodeTag[] {
  const touched = new Set([...change.add.map(({ tag }) => tag), ...change.remove]);
  const kept = tags.filter(({ tag, provenance }) => provenance !== 'set' || !touched.has(tag));
  const added = change.add.map(({ tag, mandatory }) => ({
    tag,
    provenance: 'set' as const,
    by,
    at,
    mandatory,
  }));
  return [...kept, ...added].sort(byTag);
}

const byTag = (a: NodeTag, b: NodeTag): number =>
  a.tag < b.tag
    ? -1
    : a.tag > b.tag
      ? 1
      : tagProvenances.indexOf(a.provenance) - tagProvenances.indexOf(b.provenance);

/** What counts where runs are placed: claims do not. */
export function countingTags(tags: readonly NodeTag[]): CountingTag[] {
  const counting = new Map<string, boolean>();
  for (const { tag, provenance, mandatory } of tags) {
    if (provenance !== 'claimed') counting.set(tag, (counting.get(tag) ?? false) || mandatory);
  }
  return [...counting].map(([tag, mandatory]) => ({ tag, mandatory }));
}
