// Requests against their schemas, by TypeBox's own compiler. Bodies are taken as they are; queries, params and headers come
// as text and are converted first ("10" to 10). Unknown query fields are refused, for a misspelt filter would filter nothing.
import type { FastifySchemaCompiler } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

/** Faults told of one request; a hostile body may have thousands. */
const mostFaults = 20;

export interface RequestFault {
  /** Which part of the request and where in it, e.g. `body.models.0.seed`. */
  field: string;
  message: string;
}

/** What the problem handler makes an `invalid-request` of. */
export class InvalidRequest extends Error {
  readonly faults: RequestFault[];
  constructor(faults: RequestFault[]) {
    super('the request does not fit its schema');
    this.faults = faults;
  }
}

const partNames: Record<string, string> = { querystring: 'query', params: 'path', headers: 'header' };

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const part = partNames[httpPart ?? 'body'] ?? 'body';
  return (given: unknown) => {
    const value = part === 'body' ? given : Value.Convert(schema, given);
    if (check.Check(value)) return { value };
    const faults: RequestFault[] = [];
    const seen = new Set<string>();
    for (const { instancePath, message, keyword, params } of check.Errors(value)) {
      // A union tells the faults of its members and then its own, an unknown field is told at itself too: once is enough.
      if (keyword === 'anyOf' || keyword === 'boolean') continue;
      const names =
        keyword === 'required'
          ? (params as { requiredProperties: string[] }).requiredProperties
          : keyword === 'additionalProperties'
            ? (params as { additionalProperties: string[] }).additionalProperties
            : [''];
      for (const name of names) {
        const path = [part, ...instancePath.split('/').filter(Boolean), name].filter(Boolean).join('.');
        const text =
          keyword === 'required'
            ? 'is missing'
            : keyword === 'additionalProperties'
              ? 'is not known here'
              : message;
        const told = `${path} ${text}`;
        if (seen.has(told)) continue;
        seen.add(told);
        faults.push({ field: path, message: text });
        if (faults.length === mostFaults) return { error: new InvalidRequest(faults) };
      }
    }
    return { error: new InvalidRequest(faults) };
  };
};

/** An object of query fields: nothing else may be asked. */
export const queryOf = <T extends Record<string, TSchema>>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
