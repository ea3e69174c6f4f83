// docs/reference/blame.md from the rules themselves (packages/shared/src/job/blame-rules.ts).
import { type BlameRule, blameRules, followUps } from '../packages/shared/src/job/blame-rules.ts';
import { maxLeases, maxTempfails } from '../packages/shared/src/job/failure.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${cell(text)}\``;

/** The conditions of a rule, all of which must hold. */
function conditions({ when }: BlameRule): string {
  const parts = [
    ...(when.steps ? [`at ${when.steps.join(' or ')}`] : []),
    ...(when.codes ? [`code ${when.codes.map(code).join(', ')}`] : []),
    ...(when.endedBy ? [`the farm ended it: ${when.endedBy.join(', ')}`] : []),
    ...(when.log
      ? [`the log says ${code(when.log.source)}${when.log.flags === '' ? '' : ' (any case)'}`]
      : []),
    ...(when.signal ? [`ended by ${when.signal}`] : []),
    ...(when.tempfail ? ['it wrote a `tempfail` line'] : []),
    ...(when.nodeDiskFull ? ['the disk of the node is full, as the worker measures it'] : []),
    ...(when.resumed ? ['it began with a checkpoint'] : []),
  ];
  const isTarget = !when.codes;
  return [...(isTarget ? ['the target did not end well'] : []), ...parts].join('; ');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export const blameReference = (): string => `# Blame: whose fault, and what follows

Made from \`packages/shared/src/job/blame-rules.ts\` by \`npm run reference\`. Read from the top: the first rule whose conditions all hold decides.

${[
  row(['rule', 'when', 'blame', 'told as', 'then', 'why']),
  row(['---', '---', '---', '---', '---', '---']),
  ...blameRules.map((rule) =>
    row([
      rule.name,
      conditions(rule),
      rule.blame,
      rule.code === undefined ? 'its own code' : code(rule.code),
      rule.followUp,
      cell(rule.why),
    ]),
  ),
].join('\n')}

What no rule names is the farm's: a package is never accused of what is not understood.

## What follows

${[
  row(['then', 'what becomes of run and job']),
  row(['---', '---']),
  ...Object.entries(followUps).map(([name, summary]) => row([name, cell(summary)])),
].join('\n')}

A run is leased at most ${maxLeases} times, always with the same seed; leases that ended without blame (preempted, given back by a person, its worker stopped, never begun) are not
counted. A recipe may say \`tempfail\` ${maxTempfails} times in a run. Two failures are the same where code and the last twelve lines of the log agree, numbers and addresses left out; twice on
two nodes, or three times on one, is a recipe's fault, whatever it says.

In a rerun or on shortened data, a fault of the recipe fails no job: that run is not made again, and the verdict says so.
`;
