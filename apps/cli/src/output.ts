// Two printers behind one interface: text for people, JSON for programs. Data goes to stdout, talk to stderr.

export interface Output {
  readonly json: boolean;
  /** The result: `text` for people, `value` as one JSON document with --json. */
  result(value: unknown, text: string): void;
  /** Talk: one line on stderr; silent with --json. */
  say(line: string): void;
  readonly color: Palette;
}

export interface Palette {
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const paint = (enabled: boolean): Palette => {
  const wrap = (code: number) => (text: string) => (enabled ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: wrap(32), bad: wrap(31), doubtful: wrap(33), dim: wrap(2), bold: wrap(1) };
};

/** Colours only on a terminal and only without NO_COLOR (no-color.org). */
export function openOutput({ json }: { json: boolean }): Output {
  return {
    json,
    color: paint(process.stdout.isTTY === true && !process.env.NO_COLOR),
    result(value, text) {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
    },
    say(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

/** A plain table: columns as wide as their widest cell, two spaces apart. Width is counted without colour codes. */
export function table(rows: string[][]): string {
  const widthOf = (cell: string): number => cell.replace(/\u001b\[\d+m/g, '').length;
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - widthOf(cell)),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
