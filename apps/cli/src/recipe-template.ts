// The source packages that `retrain new` writes: files of templates/, with the words in @CAPITALS@ filled in.
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Template {
  /** Of the binary package, one line. */
  summary: string;
  /** The dataset's name, and where it lies: in the tree, or as its Debian package installs it. */
  dataset: string;
  dataFolder: string;
  /** Makes the data that lie in the tree, with node; null where they are fetched. */
  makeData: string | null;
}

const fashionMnist = {
  dataset: 'fashion-mnist',
  dataFolder: '/usr/share/datasets/fashion-mnist',
  makeData: null,
};

export const templates = {
  mlp: { summary: 'classifier for pictures of clothes, a net of two dense layers', ...fashionMnist },
  cnn: { summary: 'classifier for pictures of clothes, a convolutional net', ...fashionMnist },
  tabular: {
    summary: 'classifier for the rows of a table, an invented one of leaves',
    dataset: 'leaves',
    dataFolder: 'data',
    makeData: 'debian/retrain/make-table.mjs',
  },
} as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof templates;

/** What the author is asked, or the environment says. */
export interface Author {
  /** `Name <mail>`. */
  maintainer: string;
  date: Date;
}

const programs = ['debian/rules', 'debian/retrain/make-shipped'];
const folder = fileURLToPath(new URL('../templates', import.meta.url));

/** RFC 5322, as debian/changelog has it (Policy 4.4). */
const changelogDate = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

/** Writes the tree of a template into `tree`; its paths, sorted. The model is still missing. */
export async function writeTemplate(
  tree: string,
  name: string,
  kind: TemplateName,
  author: Author,
): Promise<string[]> {
  const { summary, dataset, dataFolder } = templates[kind];
  const words: Record<string, string> = {
    NAME: name,
    SUMMARY: summary,
    DATASET: dataset,
    DATAFOLDER: dataFolder,
    MAINTAINER: author.maintainer,
    DATE: changelogDate(author.date),
    YEAR: String(author.date.getUTCFullYear()),
  };
  const written: string[] = [];
  for (const part of ['common', kind]) {
    const from = join(folder, part);
    const entries = await readdir(from, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((found) => found.isFile())) {
      const source = join(entry.parentPath, entry.name);
      const path = source.slice(from.length + 1);
      const text = (await readFile(source, 'utf8')).replace(
        /@([A-Z]+)@/g,
        (whole, word: string) => words[word] ?? whole,
      );
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), text);
      if (programs.includes(path)) await chmod(join(tree, path), 0o755);
      written.push(path);
    }
  }
  return written.sort();
}
