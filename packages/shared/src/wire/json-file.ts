// A JSON file that a person wrote: read whole or refused, the first faults each with their place.
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { Problem } from './problems.ts';

const shownFaults = 5;

/** The value, where it fits the schema. Throws Problem `invalid-request` that names `file`. */
export function readJson<T extends TSchema>(schema: T, json: string, file: string, hint: string): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Problem('invalid-request', `${file} is no JSON: ${(error as Error).message}`);
  }
  if (Value.Check(schema, value)) return value;
  const faults = [...Value.Errors(schema, value)]
    .slice(0, shownFaults)
    .map(({ instancePath, message, schemaPath }) =>
      schemaPath.endsWith('/additionalProperties')
        ? `${instancePath} is not known`
        : `${instancePath || '/'} ${message}`,
    );
  throw new Problem('invalid-request', `${file}: ${faults.join('; ')}`, hint);
}
