// A recorded inventory: a folder with `recording.json`, which says where it comes from, and the outputs of a vendor's tools as
// they were printed. The suite reads them, and a worker may be told to have such a machine (RETRAIND_INVENTORY).
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { outputBytes } from './machine.ts';
import type { Outputs } from './vendor.ts';

export interface Recording {
  format: 1;
  vendor: string;
  /** What was recorded, for people. */
  device: string;
  /** Day on which the tool ran, where its output says it. */
  recordedAt: string | null;
  /** File of each output, by the vendor's name for it. */
  outputs: Record<string, string>;
  origin: { repository: string; path: string; commit: string; licence: string };
  /** What was left out of the outputs; nothing was changed. */
  leftOut: string;
}

/** Reads the recording in a folder. Problem `invalid-config` where it is none. */
export const readRecording = (folder: string): { name: string; recording: Recording; outputs: Outputs } => {
  const refuse = (why: string): never => {
    throw new Problem(
      'invalid-config',
      `${folder} holds no recorded inventory: ${why}.`,
      'Recordings lie in apps/worker/src/gpu/recordings; docs/reference/gpu-vendors.md tells their form.',
    );
  };
  let recording: Recording;
  try {
    recording = JSON.parse(readFileSync(join(folder, 'recording.json'), 'utf8')) as Recording;
  } catch (error) {
    return refuse((error as Error).message);
  }
  if (recording.format !== 1) refuse('its format is not 1');
  const outputs = Object.entries(recording.outputs ?? {}).map(([name, file]) => {
    if (basename(file) !== file) refuse(`the output ${name} lies elsewhere`);
    const text = readFileSync(join(folder, file), 'utf8');
    if (text.length > outputBytes) refuse(`${file} has more than ${outputBytes} bytes`);
    return [name, text] as const;
  });
  return { name: basename(resolve(folder)), recording, outputs: Object.fromEntries(outputs) };
};
