// Everything that must stand before the first run of a local job: sandbox, programs, source, and the results folder, locked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Apt, machineSources } from '@retraind/host/apt';
import { takeLock } from '@retraind/host/file-lock';
import type { SuiteSpec } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { digestOf } from '../compression.ts';
import { Inventory, machineInventory } from '../gpu/inventory.ts';
import { openMachine } from '../gpu/machine.ts';
import { SlotDevices } from '../gpu/slot-devices.ts';
import type { LocalJobOptions } from '../local-job.ts';
import { findPrograms, type Programs } from '../programs.ts';
import { suiteArchive } from '../run.ts';
import { openSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import { ResultsFolder } from './results.ts';
import { findLocalSource, folderDigest, type LocalSource } from './source.ts';

export interface PreparedJob {
  found: LocalSource;
  suite: SuiteSpec;
  sandbox: Sandbox;
  programs: Programs;
  devices: SlotDevices;
  /** At home a run may have every device of the machine. */
  deviceIds: string[];
  archive: () => Promise<Apt>;
  /** Folder of the overlay for this source, where there is one. */
  overlay: string | null;
  results: ResultsFolder;
  /** Whether the results folder holds an unfinished job of the very same inputs. */
  resumed: boolean;
  /** Lets go of the results folder. */
  release: () => Promise<void>;
}

/** Problems: `sandbox-unavailable`, `tool-missing`, `not-found`, `already-running`, and what apt says. */
export const prepareLocalJob = async (
  options: LocalJobOptions,
  signal: AbortSignal,
): Promise<PreparedJob> => {
  const cache = options.cacheFolder;
  const sandbox =
    typeof options.sandbox === 'object' ? options.sandbox : openSandbox(options.sandbox ?? 'bwrap');
  await sandbox.check();
  const suite = options.suite ?? { name: 'local', sources: machineSources() };
  const programs = await findPrograms(cache, options.tfjsNode ?? null);
  const machine = openMachine();
  const inventory = await Inventory.open(machineInventory(machine));
  const archive = suiteArchive({ suite }, cache, signal);
  const found = await findLocalSource(options.source, archive, join(cache, 'sources'), signal);
  const overlayPath = options.overlays ? join(options.overlays, found.source) : null;
  const overlay = overlayPath !== null && existsSync(overlayPath) ? overlayPath : null;

  const folder = join(options.resultsFolder, `${found.source}_${found.version.replace(/:/g, '%3a')}`);
  const release = await takeLock(`${folder}.lock`, { waitSeconds: 0 }).catch((cause) => {
    const hint = 'Wait for it, or choose another folder with --results.';
    throw new Problem(
      'already-running',
      `Another run of ${found.source} ${found.version} uses ${folder}.`,
      hint,
      { cause },
    );
  });
  try {
    const results = new ResultsFolder(folder);
    const resumed = await results.open({
      source: found.source,
      version: found.version,
      digest: found.digest,
      overlay: overlay === null ? null : await folderDigest(overlay),
      reference: options.reference ? (await digestOf(options.reference, 'plain')).sha256 : null,
      seed: options.seed ?? null,
      sandbox: sandbox.name,
      evaluator: programs.evaluator.version,
      runtime: [programs.retrainTfjsVersion, programs.tfjsNode?.version].filter(Boolean).join(', '),
      node: process.version,
      devices: inventory.devices.map(({ architecture, driver }) => `${architecture} ${driver}`).join(', '),
    });
    const devices = new SlotDevices(inventory, machine);
    const deviceIds = inventory.devices.map(({ deviceId }) => deviceId);
    return {
      found,
      suite,
      sandbox,
      programs,
      devices,
      deviceIds,
      archive,
      overlay,
      results,
      resumed,
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
};
