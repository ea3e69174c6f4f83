// Counts what was really begun: a program named bwrap that workers find before the system's. For a recipe's target it appends a
// line to a file, then becomes the real one. So each child says that it starts, whatever the farm believes.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureTool } from '@retraind/host/debian-tools';

/** A recipe's target was begun in the name of this lease. */
export interface Start {
  runId: string;
  leaseEpoch: number;
}

export interface StartCounter {
  /** Comes first in the PATH of workers. */
  programsFolder: string;
  /** All starts so far, in order. */
  read(): Promise<Start[]>;
}

// A run's folder is named RUN-EPOCH and is mounted file by file (worker/slot); one short write to a file opened for appending is
// never mixed with another's.
const script = (real: string, file: string, target: string): string => `#!/bin/sh
for last; do case $last in */runs/slot-*/*-*/out) lease=\${last%/out}; lease=\${lease##*/};; esac; done
[ "$last" = ${target} ] && echo "$lease" >> ${file}
exec ${real} "$@"
`;

/** Makes the program and its file in `folder`; `target` of the recipes that are counted. */
export async function countStarts(folder: string, target: string): Promise<StartCounter> {
  const programsFolder = join(folder, 'programs');
  const file = join(folder, 'starts');
  await mkdir(programsFolder);
  await writeFile(file, '');
  const program = join(programsFolder, 'bwrap');
  await writeFile(program, script(await ensureTool('bwrap'), file, target));
  await chmod(program, 0o755);
  return {
    programsFolder,
    read: async () =>
      (await readFile(file, 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [runId = '', leaseEpoch = ''] = line.split('-');
          return { runId, leaseEpoch: Number(leaseEpoch) };
        }),
  };
}
