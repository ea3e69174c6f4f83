// docs/reference/http.md from the OpenAPI document: the same schemas, for people. A test holds the file against it.
import { problemTable } from '@retraind/shared/wire/problems';

interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  format?: string;
  pattern?: string;
  description?: string;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}
interface Content {
  content?: Record<string, { schema: Schema }>;
  description?: string;
}
interface Operation {
  summary: string;
  description?: string;
  tags: string[];
  parameters?: Parameter[];
  requestBody?: Content;
  responses: Record<string, Content>;
  security?: Record<string, unknown>[];
}
export interface OpenApiDocument {
  info: { description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** The page as Markdown. */
export function httpReference(document: OpenApiDocument): string {
  const byTag = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0]!;
      byTag.set(tag, [...(byTag.get(tag) ?? []), section(method, path, operation)]);
    }
  }
  const parts = [
    '# The HTTP interface',
    '<!-- Made from the schemas of the routes; mend it by: node --import tsx apps/api/src/write-http-reference.ts -->',
    document.info.description,
    'The same as OpenAPI 3.1: `/openapi.json`. Lists come in pages: follow `next`, or the Link header. Reads carry an ETag. ' +
      'A `POST` that asks for a job may carry an `Idempotency-Key`. Every answer carries `x-request-id`.',
    ...[...byTag].flatMap(([tag, sections]) => [`## ${tag}`, ...sections]),
    '## Resources',
    ...Object.entries(document.components.schemas).map(([name, schema]) => resource(name, schema)),
    '## Problems',
    'The `type` of each is `/problems/CODE`, and that is a page.',
    ['| code | HTTP | exit code | meaning |', '|---|---|---|---|', ...problemRows()].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

const problemRows = (): string[] =>
  Object.entries(problemTable).map(
    ([code, { status, exit, title }]) => `| \`${code}\` | ${status} | ${exit} | ${title} |`,
  );

const proofs: Record<string, string> = {
  bearer: 'Needs `Authorization: Bearer TOKEN`.',
  node: 'Needs `Authorization: Node JWT`, signed by the node for this request.',
};

function section(method: string, path: string, operation: Operation): string {
  const lines = [`### ${method.toUpperCase()} ${path}`, `${operation.summary}.`];
  if (operation.description) lines.push(operation.description);
  const proof = operation.security?.flatMap(Object.keys)[0];
  if (proof) lines.push(proofs[proof]!);
  const parameters = (operation.parameters ?? []).filter((one) => one.in !== 'path');
  if (parameters.length > 0) {
    lines.push(
      parameters
        .map(({ name, in: place, required, description, schema }) => {
          const about = [required ? 'required' : '', description ?? ''].filter(Boolean).join('; ');
          return `- ${place} \`${name}\`: ${typeText(schema)}${about ? `; ${about}` : ''}`;
        })
        .join('\n'),
    );
  }
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  if (body) lines.push(`Body: ${typeText(body)}`);
  const told = Object.entries(operation.responses)
    .filter(([code]) => code.startsWith('2'))
    .map(([code, answer]) => `- ${code}: ${answerText(answer)}`);
  lines.push(told.join('\n'));
  return lines.join('\n\n');
}

function answerText({ content, description }: Content): string {
  const kinds = Object.entries(content ?? {});
  const isJson = kinds[0]?.[0] === 'application/json';
  const what = isJson ? typeText(kinds[0]![1].schema) : kinds.map(([type]) => `\`${type}\``).join(' or ');
  return [what, description].filter(Boolean).join('. ');
}

function resource(name: string, schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, of]) => {
    const isOptional = !(schema.required ?? []).includes(field);
    return `| \`${field}\` | ${typeText(of).replaceAll('|', '\\|')}${isOptional ? ', optional' : ''} | ${of.description ?? ''} |`;
  });
  return [`### ${name}`, ['| field | type | |', '|---|---|---|', ...rows].join('\n')].join('\n\n');
}

/** A schema in words: `Job`, `text or null`, `list of {model: text, …}`. */
function typeText(schema: Schema): string {
  if (schema.$ref)
    return `[${schema.$ref.split('/').pop()}](#${schema.$ref.split('/').pop()!.toLowerCase()})`;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.type === 'object') {
    const fields = Object.entries(schema.properties ?? {}).map(([name, of]) => `${name}: ${typeText(of)}`);
    return fields.length > 0 ? `{${fields.join(', ')}}` : 'object';
  }
  if (schema.format === 'date-time') return 'time';
  if (schema.pattern === '^[0-9a-f]{64}$') return 'sha256';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer') return 'whole number';
  return schema.type ?? 'anything';
}
