// A root like a machine just installed: Debian's minbase, with this machine's archives and its way to the network, its Node
// and npm, and nothing else.
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machineSources } from '@retraind/host/apt';
import { machineLines } from '@retraind/host/apt/configuration';
import { runCommand } from '@retraind/host/command';
import { ensureTool, findProgram } from '@retraind/host/debian-tools';

/** Environment that says how the network is reached; files that it names come along. */
const networkVariables =
  /^((https?|ftp|all|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|npm_config_(registry|cafile|proxy|https_proxy|noproxy))$/i;

export const networkEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => networkVariables.test(entry[0]) && entry[1] !== undefined,
    ),
  );

const must = async (file: string, args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCommand(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ends with ${code}:\n${stderr.slice(-4_000)}`);
  return stdout;
};

/** Copies a file or folder of this machine to the same path, links resolved. */
const bring = (root: string, path: string, as = path): void => {
  if (!existsSync(path)) return;
  mkdirSync(dirname(join(root, as)), { recursive: true });
  cpSync(path, join(root, as), { recursive: true, dereference: true, force: true });
};

/** Node and the libraries that it wants and the root lacks, and npm with its own settings. */
const bringNode = async (root: string): Promise<void> => {
  bring(root, realpathSync(process.execPath), '/usr/local/bin/node');
  const { stdout } = await runCommand('ldd', [process.execPath]);
  for (const [, library] of stdout.matchAll(/=> (\/\S+)/g)) {
    if (!existsSync(join(root, library!))) bring(root, library!);
  }
  const npm = findProgram('npm');
  if (!npm) throw new Error('npm is not on this machine');
  const folder = dirname(dirname(realpathSync(npm)));
  cpSync(folder, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }
  const settings = async (key: string): Promise<string> => (await must('npm', ['config', 'get', key])).trim();
  bring(root, await settings('userconfig'), '/root/.npmrc');
  bring(root, await settings('globalconfig'), '/usr/local/etc/npmrc');
};

const bringNetwork = async (root: string): Promise<void> => {
  for (const path of ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'])
    bring(root, path);
  for (const value of Object.values(networkEnvironment())) {
    if (value.startsWith('/')) bring(root, value);
  }
  const npmrc = join(root, 'root/.npmrc');
  const cafile = existsSync(npmrc) && /^cafile=(\/.*)$/m.exec(await readFile(npmrc, 'utf8'))?.[1];
  if (cafile) bring(root, cafile);
};

/** Makes the root at `folder`. Needs root and the archive. */
export const makeRoot = async (folder: string): Promise<void> => {
  const mmdebstrap = await ensureTool('mmdebstrap');
  const release = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
  if (!codename) throw new Error('/etc/os-release names no Debian release');
  const sources = `${folder}.sources`;
  const settings = `${folder}.conf`;
  writeFileSync(sources, machineSources());
  writeFileSync(settings, `${(await machineLines()).join('\n')}\n`);
  await must(mmdebstrap, [
    '--variant=minbase',
    '--format=directory',
    `--aptopt=${settings}`,
    codename,
    folder,
    sources,
  ]);
  await bringNode(folder);
  await bringNetwork(folder);
};

/** A second root of the same state. */
export const copyRoot = (from: string, to: string): Promise<string> =>
  must('cp', ['-a', '--reflink=auto', from, to]);

/** What is committed at HEAD, and nothing that lies about. */
export const cloneHead = async (repository: string, folder: string): Promise<void> => {
  const head = (await must('git', ['-C', repository, 'rev-parse', 'HEAD'])).trim();
  const dirty = (await must('git', ['-C', repository, 'status', '--porcelain'])).trim();
  if (dirty) console.error(`fresh: what is not committed does not come along:\n${dirty}`);
  await must('git', ['clone', '-q', '--no-hardlinks', '--no-checkout', repository, folder]);
  await must('git', ['-C', folder, 'checkout', '-q', '--detach', head]);
};
