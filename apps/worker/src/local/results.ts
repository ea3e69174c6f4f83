// The folder in which a local job leaves what it found. A job that was cut off goes on with the runs that had been reported;
// one that had come to its end is made anew.
//   job.json               what the job is made of        verdicts.json    at the end
//   recipe.json            debian/retrain/control, and when it was found
//   artifacts/             weights, predictions, records by digest
//   pictures/              recovered triggers of shipped models, MODEL-class-N.png
//   runs/N/                place.json, log, metrics.jsonl, report.json of the N-th run
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtifactStore } from '@retraind/host/artifacts';
import { replaceFile } from '@retraind/host/replace-file';
import { placeKey, type RunPlace } from '@retraind/shared/job/run-place';
import type { ModelVerdict } from '@retraind/shared/verdict/evidence';
import type { RunOutcome } from '@retraind/shared/wire/messages';

/** The recipe as the first run found it, and when: before that run began to train. */
export interface KeptRecipe {
  control: string;
  jobSeed: string;
  /** ISO 8601, UTC. */
  at: string;
}

/** A recovered trigger of a shipped model as a PNG file. */
export interface TriggerPicture {
  model: string;
  class: number;
  sha256: string;
  path: string;
}

/** Everything that a run's outcome depends on. */
export type JobIdentity = Record<string, string | number | null>;

export class ResultsFolder {
  readonly folder: string;
  readonly artifacts: ArtifactStore;

  constructor(folder: string) {
    this.folder = folder;
    this.artifacts = new ArtifactStore(join(folder, 'artifacts'));
  }

  runFolder(number: number): string {
    return join(this.folder, 'runs', String(number));
  }

  /** Makes the folder ready. Whether an unfinished job of the same identity is in it. */
  async open(identity: JobIdentity): Promise<boolean> {
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, 'job.json');
    const text = `${JSON.stringify(identity, null, 2)}\n`;
    const same = existsSync(path) && (await readFile(path, 'utf8')) === text;
    // Without a dated recipe no run has come as far as training.
    const begun = same && (await this.recipe())?.at !== undefined;
    if (begun && !existsSync(join(this.folder, 'verdicts.json'))) return true;
    await rm(join(this.folder, 'runs'), { recursive: true, force: true });
    for (const name of ['verdicts.json', 'recipe.json', 'pictures']) {
      await rm(join(this.folder, name), { recursive: true, force: true });
    }
    await replaceFile(path, text);
    return false;
  }

  /** The reports of an earlier, unfinished job by run number; broken ones are tried again. */
  async reported(number: number, place: RunPlace): Promise<RunOutcome | null> {
    const [path, of] = ['report.json', 'place.json'].map((name) => join(this.runFolder(number), name));
    if (!existsSync(path!) || !existsSync(of!)) return null;
    // Another `--runs` than the last time may ask for another run of this number.
    if (placeKey(JSON.parse(await readFile(of!, 'utf8')) as RunPlace) !== placeKey(place)) return null;
    const outcome = JSON.parse(await readFile(path!, 'utf8')) as RunOutcome;
    return outcome.kind === 'reported' ? outcome : null;
  }

  async keepPlace(number: number, place: RunPlace): Promise<void> {
    await mkdir(this.runFolder(number), { recursive: true });
    await replaceFile(join(this.runFolder(number), 'place.json'), `${JSON.stringify(place, null, 2)}\n`);
  }

  async keepRecipe(found: KeptRecipe): Promise<void> {
    await replaceFile(join(this.folder, 'recipe.json'), `${JSON.stringify(found, null, 2)}\n`);
  }

  async recipe(): Promise<KeptRecipe | null> {
    const path = join(this.folder, 'recipe.json');
    return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as KeptRecipe) : null;
  }

  async keepVerdicts(verdicts: readonly ModelVerdict[]): Promise<void> {
    await replaceFile(join(this.folder, 'verdicts.json'), `${JSON.stringify(verdicts, null, 2)}\n`);
  }

  /** Writes the shipped models' recovered triggers as files that a viewer opens. */
  async keepPictures(verdicts: readonly ModelVerdict[]): Promise<TriggerPicture[]> {
    const kept: TriggerPicture[] = [];
    for (const { model, triggers } of verdicts) {
      for (const { class: label, pictureSha256 } of triggers?.ran ? triggers.classes : []) {
        if (pictureSha256 === null) continue;
        const name = `${model.replace(/[^A-Za-z0-9.-]/g, '_')}-class-${label}.png`;
        const path = join(this.folder, 'pictures', name);
        await mkdir(dirname(path), { recursive: true });
        await replaceFile(path, await this.artifacts.readWhole(pictureSha256));
        kept.push({ model, class: label, sha256: pictureSha256, path });
      }
    }
    return kept;
  }
}
