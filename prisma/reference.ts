// docs/reference/database.md, made from what is true: the words of schema.prisma and the catalog of a migrated database.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Database } from './client.ts';

const schemaPath = fileURLToPath(new URL('schema.prisma', import.meta.url));
export const referencePath: string = fileURLToPath(new URL('../docs/reference/database.md', import.meta.url));

interface Words {
  table: string;
  about: string;
  columns: Map<string, string>;
}

/** The `///` comments of schema.prisma by table and column, in the order of the file. */
const readWords = (): Words[] => {
  const words: Words[] = [];
  let about: string[] = [];
  let open: Words | null = null;
  for (const line of readFileSync(schemaPath, 'utf8')
    .split('\n')
    .map((each) => each.trim())) {
    if (line.startsWith('///')) about.push(line.slice(3).trim());
    else if (line.startsWith('model '))
      open = { table: '', about: about.splice(0).join(' '), columns: new Map() };
    else if (open && line.startsWith('@@map(')) open.table = line.match(/"(.+)"/)![1]!;
    else if (open && line === '}') {
      words.push(open);
      open = null;
    } else if (open && /^\w+\s/.test(line)) {
      const column = line.match(/@map\("(.+?)"\)/)?.[1] ?? line.split(/\s/)[0]!;
      open.columns.set(column, about.join(' '));
      about = [];
    }
  }
  return words;
};

interface Column {
  table: string;
  column: string;
  type: string;
  isRequired: boolean;
}

interface Rule {
  table: string;
  name: string;
  text: string;
}

const readColumns = (db: Database): Promise<Column[]> =>
  db.$queryRaw`
    SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
      a.attnotnull AS "isRequired"
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum`;

const readRules = (db: Database): Promise<Rule[]> =>
  db.$queryRaw`
    SELECT * FROM (
      SELECT conrelid::regclass::text AS "table", conname AS name, pg_get_constraintdef(oid) AS text, 1 AS part
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'c', 'f', 'u')
      UNION ALL
      SELECT tablename, indexname, replace(regexp_replace(indexdef, '^.* USING btree ', 'UNIQUE '), 'public.', ''), 2
      FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%' AND indexname NOT LIKE '%_pkey'
      UNION ALL
      SELECT tgrelid::regclass::text, tgname,
        regexp_replace(pg_get_triggerdef(oid), '^CREATE TRIGGER \\S+ (.*?) ON .*EXECUTE FUNCTION (.*)$', '\\1: \\2'), 3
      FROM pg_trigger WHERE NOT tgisinternal
    ) AS rule ORDER BY "table", part, name COLLATE "C"`;

const head = `# The database

Made from \`prisma/schema.prisma\` and a migrated database; \`prisma/reference.test.ts\` compares, and writes it anew with
\`UPDATE_REFERENCE=1\`.

PostgreSQL 15 or later. All SQL is in \`prisma/\`; each deed of \`prisma/store\` is one transaction. Times are UTC, digests sha256 in
hex. Rows are never deleted; results, verdicts, evidence and the audit are never rewritten: triggers refuse it.

A run is executed at least once, and its result is recorded at most once. Every write of a worker carries its lease epoch and
is one UPDATE on \`(run_id, lease_epoch, node_id)\` while the run is leased: an old epoch meets \`lease-lost\`, another node
\`not-your-run\`. Three unique indexes on \`lease\` keep this whatever a program does.

\`NOTIFY retraind\` names every row that changed (\`job:<id>\`, \`run:<id>\`, \`node:<id>\`, \`suite:<name>\`), but not for mere heartbeats.
\`changed\` is the transaction that touched the row; a reader who keeps the \`xmin\` of its snapshot as cursor misses nothing
(decision 0404).

## Migrations

\`prisma/migrations\`, applied by \`node --import tsx prisma/migrate.ts\` with \`DATABASE_URL\`; the embedded farm does it at every start.
The table \`_prisma_migrations\` is Prisma's own. Each migration is one transaction, so one that failed has left nothing but
its row there, with the error in \`logs\`: put right what it names, then

    UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL;

and migrate again. A database that is newer than the program is refused: go back to the newer program, or to the backup from before.
`;

const typeWords: Record<string, string> = {
  'timestamp(3) with time zone': 'timestamptz',
  'double precision': 'float8',
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The page as it should be for this database. */
export const renderReference = async (db: Database): Promise<string> => {
  const [columns, rules] = [await readColumns(db), await readRules(db)];
  const sections = readWords().map(({ table, about, columns: said }) => {
    const rows = columns
      .filter((each) => each.table === table)
      .map(({ column, type, isRequired }) => {
        const words =
          column === 'changed' ? 'transaction that touched the row last' : (said.get(column) ?? '');
        return `| \`${column}\` | ${typeWords[type] ?? type}${isRequired ? '' : ', may be null'} | ${cell(words)} |`;
      });
    const kept = rules
      .filter((each) => each.table === table || each.table === `"${table}"`)
      .map(({ name, text }) => `- \`${name}\`: \`${text}\``);
    return [
      `## ${table}`,
      '',
      about,
      '',
      '| column | type | meaning |',
      '|---|---|---|',
      ...rows,
      '',
      ...kept,
    ].join('\n');
  });
  return `${head}\n${sections.join('\n\n')}\n`;
};
