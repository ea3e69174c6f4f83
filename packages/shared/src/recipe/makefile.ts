// What a makefile's text says of its targets, without running make: which rules there are, and which targets are phony.
// Variables that are set in the same file are expanded once; conditionals are taken as if they held; included files are not
// read, and the answer says that there are some. Source: GNU make manual, "Rules" and "Phony Targets".

export interface MakefileFacts {
  /** Explicit targets with the line of their first rule. */
  targets: Map<string, number>;
  phony: Set<string>;
  /** Whether there are `include` lines, whose rules are not known here. */
  includes: boolean;
}

interface LogicalLine {
  line: number;
  text: string;
}

/** Lines with their backslash continuations joined, without recipes, comments and `define` blocks. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let start = 0;
  let joined = '';
  let isDefine = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (joined === '') start = index + 1;
    if (line.endsWith('\\')) {
      joined += `${line.slice(0, -1)} `;
      continue;
    }
    const whole = joined + line;
    joined = '';
    if (/^\s*(override\s+)?define\b/.test(whole)) isDefine = true;
    const isRecipe = whole.startsWith('\t');
    if (!isDefine && !isRecipe) yield { line: start, text: whole.replace(/(^|[^\\])#.*$/, '$1') };
    if (/^\s*endef\b/.test(whole)) isDefine = false;
  }
}

/** Longest value that is expanded: a makefile may not grow in our hands. */
const maxExpanded = 8_192;

export function readMakefile(text: string): MakefileFacts {
  const facts: MakefileFacts = { targets: new Map(), phony: new Set(), includes: false };
  const variables = new Map<string, string>();
  const expand = (words: string): string[] => {
    const expanded = words.replace(
      /\$[({]([A-Za-z0-9_.-]+)[)}]/g,
      (_, name: string) => variables.get(name) ?? '',
    );
    return expanded
      .slice(0, maxExpanded)
      .split(/\s+/)
      .filter((word) => word !== '');
  };
  for (const { line, text: logical } of logicalLines(text)) {
    if (/^\s*-?s?include\b/.test(logical)) {
      facts.includes = true;
      continue;
    }
    const assignment = /^\s*(?:export\s+|override\s+)*([A-Za-z0-9_.-]+)\s*(\+=|:{0,3}=|\?=)\s*(.*)$/.exec(
      logical,
    );
    if (assignment) {
      const [, name, operator, value] = assignment as unknown as [string, string, string, string];
      const before = operator === '+=' ? `${variables.get(name) ?? ''} ` : '';
      variables.set(name, (before + value).slice(0, maxExpanded));
      continue;
    }
    const colon = logical.indexOf(':');
    if (colon < 1 || logical.slice(0, colon).includes('=')) continue;
    const prerequisites = logical.slice(logical[colon + 1] === ':' ? colon + 2 : colon + 1);
    for (const target of expand(logical.slice(0, colon))) {
      if (target === '.PHONY') for (const name of expand(prerequisites.split(';')[0]!)) facts.phony.add(name);
      else if (!facts.targets.has(target)) facts.targets.set(target, line);
    }
  }
  return facts;
}
