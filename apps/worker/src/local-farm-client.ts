// The farm of `retrain run`: a folder. One client a run; artifacts lie in the same kind of store as the farm's.

import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { replaceFile } from '@retraind/host/replace-file';
import type { Assignment, ReportOutcome } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import type { FarmClient } from './farm-client.ts';

export interface LocalFarmOptions {
  assignment: Assignment;
  /** Of this run: gets log, metrics.jsonl and report.json. */
  folder: string;
  artifacts: ArtifactStore;
  onLog: (text: string) => void;
  onMetrics: (text: string) => void;
  onRecipe: (found: { control: string; jobSeed: string }) => Promise<void>;
}

export const localFarmClient = ({
  assignment,
  folder,
  artifacts,
  onLog,
  onMetrics,
  onRecipe,
}: LocalFarmOptions): FarmClient => {
  let reported: ReportOutcome | null = null;
  const append = async (name: string, text: string): Promise<void> => {
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, name), text);
  };
  return {
    takeAssignment: async () => assignment,
    heartbeat: async () => ({ cancel: false }),
    tellRecipe: async (found) => onRecipe(found),
    async appendLog(text) {
      await append('log', text);
      onLog(text);
    },
    async appendMetrics(text) {
      await append('metrics.jsonl', text);
      onMetrics(text);
    },
    putArtifact: (path) => artifacts.putFile(path),
    async getArtifact(sha256, path) {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.part`;
      try {
        await pipeline(await artifacts.read(sha256), createWriteStream(draft));
        const file = await open(draft, 'r');
        await file.sync().finally(() => file.close());
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    },
    // A run at home has one lease.
    keepCheckpoint: async () => {},
    async report(outcome) {
      if (reported !== null) throw new Problem('lease-lost', 'This run has been reported already.');
      reported = outcome;
      await mkdir(folder, { recursive: true });
      await replaceFile(join(folder, 'report.json'), `${JSON.stringify(outcome, null, 2)}\n`);
    },
  };
};
