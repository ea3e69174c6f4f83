// docs/reference/error-rates.md: each task, and lineage, has a section between two markers, and a run rewrites only its own.
import { readFileSync } from 'node:fs';
import { replaceFile } from '@retraind/host/replace-file';

const begin = (name: string): string => `<!-- calibrate ${name}: begin -->`;
const end = (name: string): string => `<!-- calibrate ${name}: end -->`;

/** The page's text with the section of this name replaced. Throws where the page has no such section. */
export const withSection = (page: string, name: string, section: string): string => {
  const [from, to] = [page.indexOf(begin(name)), page.indexOf(end(name))];
  if (from < 0 || to < from) {
    throw new Error(`the page has no section between '${begin(name)}' and '${end(name)}'`);
  }
  return `${page.slice(0, from)}${begin(name)}\n\n${section.trim()}\n\n${page.slice(to)}`;
};

/** Rewrites one section of the file. */
export const writeSection = async (path: string, name: string, section: string): Promise<void> => {
  await replaceFile(path, withSection(readFileSync(path, 'utf8'), name, section));
};
