// The configuration under which our private apt runs. APT_CONFIG names it, and it turns the machine's own files off
// (Dir::Etc::parts, Dir::Etc::main), so hooks such as APT::Update::Post-Invoke never run. What the machine says about
// reaching the network (proxies, CA certificates, clock) is carried over; what weakens signatures is not.
// Source: apt.conf(5), STACK.md §6.
import { join } from 'node:path';
import { runCommand } from '../command.ts';

/** Keys of the machine that are carried over, by prefix, lower case. */
const honoured = [
  'acquire::http::',
  'acquire::https::',
  'acquire::ftp::',
  'acquire::proxy',
  'acquire::forceipv4',
  'acquire::forceipv6',
  'acquire::retries',
  // Frozen mirrors (snapshots) need these two: the admin of the machine decides about time.
  'acquire::check-valid-until',
  'acquire::check-date',
  'acquire::by-hash',
];

/** The lines of `apt-config dump` that a private apt keeps. */
export const honouredLines = (dump: string): string[] =>
  dump.split('\n').filter((line) => {
    const match = /^([A-Za-z0-9:_./-]+) "[^"]*";$/.exec(line);
    if (!match || line.endsWith(' "";')) return false;
    const key = match[1]!.toLowerCase();
    return honoured.some((prefix) => key.startsWith(prefix)) && !key.includes('allow');
  });

/** Asks the machine's apt; nothing where it does not answer. */
export const machineLines = async (): Promise<string[]> => {
  const { code, stdout } = await runCommand('apt-config', ['dump']);
  return code === 0 ? honouredLines(stdout) : [];
};

export interface Layout {
  stateFolder: string;
  lists: string;
  archives: string;
  sourceList: string;
  configuration: string;
  status: string;
  lock: string;
  /** TMPDIR of apt: the key of a `.sources` text is left there by every update (apt 2.6). Emptied after each. */
  temporary: string;
}

export const layoutOf = (stateFolder: string): Layout => ({
  stateFolder,
  lists: join(stateFolder, 'state/lists'),
  archives: join(stateFolder, 'cache/archives'),
  sourceList: join(stateFolder, 'etc/suite.sources'),
  configuration: join(stateFolder, 'etc/apt.conf'),
  status: join(stateFolder, 'state/status'),
  lock: join(stateFolder, 'lock'),
  temporary: join(stateFolder, 'tmp'),
});

const quoted = (path: string): string => {
  if (/["\n\\]/.test(path)) throw new RangeError(`apt cannot be told of a folder named ${path}`);
  return `"${path}"`;
};

/** The text of our apt.conf. An empty dpkg status: what is installed here has no say in which version is the candidate. */
export const configurationText = (layout: Layout, carried: readonly string[]): string =>
  [
    '// Made by Retraind for its private apt; made anew at every start.',
    ...carried,
    'APT::Sandbox::User "";',
    'APT::Get::Assume-Yes "true";',
    'APT::Update::Error-Mode "any";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::GzipIndexes "false";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowWeakRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    ...(carried.some((line) => /^Acquire::http::Timeout /i.test(line))
      ? []
      : ['Acquire::http::Timeout "30";']),
    ...(carried.some((line) => /^Acquire::Retries /i.test(line)) ? [] : ['Acquire::Retries "2";']),
    `Dir::State ${quoted(join(layout.stateFolder, 'state'))};`,
    `Dir::State::lists ${quoted(layout.lists)};`,
    `Dir::State::status ${quoted(layout.status)};`,
    `Dir::Cache ${quoted(join(layout.stateFolder, 'cache'))};`,
    `Dir::Cache::archives ${quoted(layout.archives)};`,
    `Dir::Log ${quoted(join(layout.stateFolder, 'log'))};`,
    `Dir::Etc::sourcelist ${quoted(layout.sourceList)};`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::parts "/dev/null";',
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    '',
  ].join('\n');
