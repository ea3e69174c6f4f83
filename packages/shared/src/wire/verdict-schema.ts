// The verdict's schema as it is published: JSON Schema 2020-12, under one address for each major version. Fields may be added
// within a version and readers pass over what they do not know; a field that changes its meaning or goes makes a new version.
import { Verdict } from './verdict.ts';

/** Major and minor: the minor counts added fields. */
export const verdictSchemaVersion = '1.0';

/** Path on the farm's server. */
export const verdictSchemaPath = '/schemas/verdict/v1.json';

/** Names the schema; like our predicate types it need not resolve: `.invalid` says that nobody owns the host yet. */
export const verdictSchemaId = `https://retraind.invalid${verdictSchemaPath}`;

/** The document, whose members are plain JSON. */
export const verdictSchema = (): Record<string, unknown> => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: verdictSchemaId,
  version: verdictSchemaVersion,
  title: 'Verdict on a shipped model',
  description:
    'What a farm, or a run at home, claims of one shipped model after retraining it. The words are explained in docs/explanation/verdicts.md of retraind.',
  ...(JSON.parse(JSON.stringify(Verdict)) as Record<string, unknown>),
});

/** Its bytes, the same for equal schemas. */
export const printVerdictSchema = (): string => `${JSON.stringify(verdictSchema(), null, 2)}\n`;
