// install-tfjs-node [--cpu|--cuda]: TensorFlow's libraries from PyPI's wheel, tfjs-node's binding built for them, in one
// folder outside node_modules that the engines `tfjs-node` and `tfjs-node-gpu` load. stdout: the folder's path, nothing else.
import { copyFileSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '@retraind/pipeline/engine/tensorflow/folder';
import { compileBinding, compiler, placeJavaScript, stripLibraries } from './binding.ts';
import { endAll } from './command.ts';
import { findLibrary, hasDriver, lacks, nvidiaWheels } from './cuda.ts';
import { diskFault, InstallFault, statuses } from './fault.ts';
import { alone } from './lock.ts';
import { manifestFault, writeManifest } from './manifest.ts';
import { checkTarball, downloadTarball, tarballName, unpackTarball } from './npm.ts';
import {
  type Kind,
  npmPackages,
  partsDigest,
  tensorflowVersion,
  tensorflowWheels,
  type Wheel,
} from './parts.ts';
import { downloadWheel } from './pip.ts';
import { checkPlatform, checkRoom } from './platform.ts';
import { trial } from './trial.ts';
import { checkWheel, unpackWheel } from './wheel.ts';

const usage = `usage: install-tfjs-node [--cpu | --cuda] [--folder PATH] [--from FOLDER] [--check]
  --cpu           TensorFlow for the CPU (the default): 0.3 GB fetched, 0.7 GB kept
  --cuda          TensorFlow for CUDA 12, with CUDA's own libraries where this machine has none that fit
  --folder PATH   where to keep it, in place of ~/.cache/retraind/tfjs-node
  --from FOLDER   take wheels and npm tarballs that lie there, and fetch only the rest
  --check         change nothing; say whether it is installed, each file as it was built`;

const say = (line: string): void => console.error(`install-tfjs-node: ${line}`);

interface Plan {
  kind: Kind;
  /** Holds a folder for each pin, and a link `cpu` or `cuda` to the newest. */
  root: string;
  from: string | null;
  wheels: readonly Wheel[];
  folder: string;
}

function planOf(kind: Kind, root: string, from: string | null): Plan {
  const wheels = [tensorflowWheels[kind]];
  if (kind === 'cuda') {
    const missing = lacks(findLibrary);
    if (missing.length > 0) {
      wheels.push(...nvidiaWheels);
      say(
        `CUDA's libraries come along: ${missing[0]}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}`,
      );
    }
    if (!hasDriver())
      say('there is no NVIDIA driver (libcuda.so.1): this will train on the CPU until there is one');
  }
  return {
    kind,
    root,
    from,
    wheels,
    folder: join(root, `${tensorflowVersion}-${kind}-${partsDigest(kind, wheels)}`),
  };
}

/** A file from --from, else fetched. */
async function fetched(
  plan: Plan,
  name: string,
  part: string,
  fetch: () => Promise<string>,
): Promise<string> {
  const lying = plan.from === null ? null : join(plan.from, name);
  if (lying === null || !existsSync(lying)) return fetch();
  const copy = join(part, name);
  copyFileSync(lying, copy);
  return copy;
}

async function build(plan: Plan, part: string): Promise<string> {
  const work = join(part, 'work');
  mkdirSync(work, { recursive: true });
  const packages: string[] = [];
  for (const npm of npmPackages) {
    const path = await fetched(plan, tarballName(npm), work, () => downloadTarball(npm, work));
    await checkTarball(path, npm);
    const folder = join(work, npm.name.replace('/', '-'));
    await unpackTarball(path, folder);
    packages.push(folder);
  }
  for (const wheel of plan.wheels) {
    say(`${wheel.project} ${wheel.version} (${Math.round(wheel.bytes / 1e6)} MB)`);
    const path = await fetched(plan, wheel.file, work, () => downloadWheel(wheel, work));
    await checkWheel(path, wheel);
    await unpackWheel(path, wheel, part);
    // One wheel at a time: the disk need not hold them all.
    rmSync(path);
  }
  say('stripping, compiling');
  await stripLibraries(part);
  await compileBinding(part, packages[0]!, packages[1]!);
  placeJavaScript(part, packages[0]!);
  rmSync(work, { recursive: true });
  await writeManifest(part, plan.kind, plan.wheels);
  say('training a small net on it');
  const label = await trial(part, 'tfjs-node');
  if (plan.kind === 'cpu' || !hasDriver()) return label;
  return await trial(part, 'tfjs-node-gpu');
}

/** Makes the link `cpu` or `cuda` point at the folder; whoever looks meanwhile sees the old one or the new one. */
function link({ root, kind, folder }: Plan): void {
  const path = join(root, kind);
  if (existsSync(path) && realpathSync(path) === realpathSync(folder)) return;
  const fresh = `${path}.${process.pid}.new`;
  symlinkSync(folder.slice(root.length + 1), fresh);
  renameSync(fresh, path);
}

async function install(plan: Plan): Promise<void> {
  if ((await manifestFault(plan.folder, false)) === null) return link(plan);
  compiler();
  checkRoom(plan.root, plan.kind === 'cuda' && plan.wheels.length > 1 ? 'cuda with nvidia' : plan.kind);
  const part = `${plan.folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const stop = () => {
    endAll();
    rmSync(part, { recursive: true, force: true });
    process.exit(130);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    mkdirSync(part);
    const label = await build(plan, part);
    rmSync(plan.folder, { recursive: true, force: true });
    renameSync(part, plan.folder);
    link(plan);
    say(`it trains: ${label}`);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    rmSync(part, { recursive: true, force: true });
  }
}

async function check(plan: Plan): Promise<void> {
  const fault = await manifestFault(plan.folder, true);
  if (fault === null) return;
  throw new InstallFault('incomplete', `${plan.folder} ${fault}`, `run install-tfjs-node --${plan.kind}`);
}

/** Runs the command; answers its exit status. */
export async function main(args: string[]): Promise<number> {
  let root = dirname(cacheFolder('cpu'));
  try {
    const { values } = parseArgs({
      args,
      options: {
        cpu: { type: 'boolean' },
        cuda: { type: 'boolean' },
        folder: { type: 'string' },
        from: { type: 'string' },
        check: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(usage);
      return 0;
    }
    if (values.cpu && values.cuda)
      throw new InstallFault('usage', '--cpu and --cuda are two installs', 'run it twice');
    checkPlatform();
    if (values.folder) root = resolve(values.folder);
    const plan = planOf(values.cuda ? 'cuda' : 'cpu', root, values.from ? resolve(values.from) : null);
    if (values.check) {
      await check(plan);
    } else {
      mkdirSync(root, { recursive: true });
      const waiting = () => say('another install is under way: waiting for it');
      await alone(plan.folder, waiting, () => install(plan));
    }
    console.log(join(root, plan.kind));
    return 0;
  } catch (error) {
    return tell(diskFault(error, root));
  }
}

function tell(error: unknown): number {
  if (error instanceof InstallFault) {
    say(`${error.message}\n  ${error.cure}`);
    return error.status;
  }
  if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) {
    say(`${(error as Error).message}\n${usage}`);
    return statuses.usage;
  }
  console.error(error);
  return 1;
}
