// Small Debian packages for tests, built with Debian's own tools: a 3.0 (quilt) source and a binary of a few files.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../command.ts';
import { ensureTool } from '../debian-tools.ts';

const must = async (file: string, args: string[], cwd: string): Promise<void> => {
  const { code, stderr } = await runCommand(file, args, { cwd });
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
};

const writeAll = async (folder: string, files: Record<string, string>): Promise<void> => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { mode: path.endsWith('rules') ? 0o755 : 0o644 });
  }
};

/** Builds `<name>_<version>.dsc` in `folder`; fields go into debian/control with the prefix XS-. */
export const buildSource = async (
  folder: string,
  name: string,
  version: string,
  fields: Record<string, string> = {},
  files: Record<string, string> = { 'README.txt': 'a sample\n' },
): Promise<string> => {
  await ensureTool('dpkg-source');
  const upstream = version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
  const tree = join(folder, `${name}-${upstream}`);
  await rm(tree, { recursive: true, force: true });
  await writeAll(tree, files);
  await must(
    'tar',
    ['--sort=name', '--mtime=@0', '-caf', `${name}_${upstream}.orig.tar.xz`, `${name}-${upstream}`],
    folder,
  );
  const extra = Object.entries(fields).map(([key, value]) => `XS-${key}: ${value}\n`);
  await writeAll(tree, {
    'debian/control': `Source: ${name}\nSection: misc\nPriority: optional\nMaintainer: Nobody <nobody@example.org>\nStandards-Version: 4.6.2\n${extra.join('')}\nPackage: ${name}\nArchitecture: all\nDescription: sample\n A sample.\n`,
    'debian/changelog': `${name} (${version}) unstable; urgency=low\n\n  * Sample.\n\n -- Nobody <nobody@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n`,
    'debian/rules': '#!/usr/bin/make -f\nbootstrap:\n\ttrue\n',
    'debian/source/format': '3.0 (quilt)\n',
  });
  await must('dpkg-source', ['--build', `${name}-${upstream}`], folder);
  return join(folder, `${name}_${version.replace(/^\d+:/, '')}.dsc`);
};

/** Builds `<name>_<version>_all.deb` in `folder`. */
export const buildBinary = async (
  folder: string,
  name: string,
  version: string,
  files: Record<string, string>,
  fields: Record<string, string> = {},
): Promise<string> => {
  const tree = join(folder, `${name}_${version}_all`);
  await rm(tree, { recursive: true, force: true });
  const extra = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
  await writeAll(tree, {
    ...files,
    'DEBIAN/control': `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: sample\n${extra.join('')}`,
  });
  await must('dpkg-deb', ['--root-owner-group', '--build', tree, folder], folder);
  return join(folder, `${name}_${version}_all.deb`);
};
