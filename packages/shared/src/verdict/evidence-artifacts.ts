// Every file that evidence names by digest, beside the model file itself: what must be kept for a verdict to be made, and redone.
import { type Evidence, evidenceSets, labelledSets, setNames } from './evidence.ts';

/** In words and by digest. */
export interface NamedArtifact {
  what: string;
  sha256: string;
}

export const evidenceArtifacts = (evidence: Evidence): NamedArtifact[] => {
  const { file, sets, targets, slices, weights, triggers } = evidence;
  const found: NamedArtifact[] = [];
  const name = (what: string, ref: { sha256: string | null } | undefined): void => {
    if (ref && ref.sha256 !== null) found.push({ what, sha256: ref.sha256 });
  };
  for (const companion of file.companions ?? []) name(`external data ${companion.path}`, companion);
  for (const set of evidenceSets) name(`predictions on ${setNames[set]}`, sets[set]);
  for (const set of labelledSets) name(`true answers of ${setNames[set]}`, targets?.[set]);
  name('slices', slices);
  name('weights', weights);
  for (const trigger of triggers?.ran ? triggers.classes : []) {
    name(`picture of the trigger into class ${trigger.class}`, { sha256: trigger.pictureSha256 });
  }
  return found;
};
