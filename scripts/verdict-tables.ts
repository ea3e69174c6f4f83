// The tables of docs/reference/verdict.md that the code knows better: fields, tests, alarms, limits. Each stands between two markers;
// the prose around them is the page's own.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { alarmNames, rungs, testIds } from '../packages/shared/src/verdict/evidence.ts';
import { alarmWords, testGroups, testWords } from '../packages/shared/src/verdict/glossary.ts';
import { limitsOf } from '../packages/shared/src/verdict/limits.ts';
import { Verdict } from '../packages/shared/src/wire/verdict.ts';

export const verdictPage = 'docs/reference/verdict.md';

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const fields = (): string => {
  const required = new Set<string>(Verdict.required);
  const rows = Object.entries(Verdict.properties).map(([name, field]) => [
    `\`${name}\`${required.has(name) ? '' : ' (may be absent)'}`,
    (field as { description?: string }).description ?? '',
  ]);
  return table(['field', 'meaning'], rows);
};

const tests = (): string =>
  table(
    ['`id`', 'looks at', 'asks of the shipped model, beside its retrains'],
    testIds.map((id) => [`\`${id}\``, testGroups[testWords[id].group], testWords[id].asks]),
  );

const alarms = (): string =>
  table(
    ['alarm', 'says that'],
    alarmNames.map((name) => [`\`${name}\``, alarmWords[name]]),
  );

const limits = (): string =>
  rungs
    .map((rung) => [`\`${rung}\`:`, ...limitsOf(rung).map((limit) => `- ${limit}`)].join('\n'))
    .join('\n\n');

const sections: Record<string, () => string> = { fields, tests, alarms, limits };

/** The page with its tables made anew. Throws where a marker is missing. */
export const verdictReference = async (): Promise<string> => {
  const page = await readFile(fileURLToPath(new URL(`../${verdictPage}`, import.meta.url)), 'utf8');
  return Object.entries(sections).reduce((text, [name, make]) => {
    const [begin, end] = [`<!-- ${name}: made by npm run reference -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${verdictPage} has no section between ${begin} and ${end}`);
    return `${text.slice(0, from)}${begin}\n\n${make()}\n\n${text.slice(to)}`;
  }, page);
};
