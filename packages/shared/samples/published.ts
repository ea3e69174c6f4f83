// Holds verdicts against the schema that is published: the very file in docs/reference, by the validator that others would use.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ModelVerdict } from '../src/verdict/evidence.ts';
import type { JudgeInput } from '../src/verdict/judged.ts';
import type { Measures } from '../src/verdict/measures.ts';
import { judgeModel as judge } from '../src/verdict/verdict.ts';

const path = new URL('../../../docs/reference/verdict.schema.json', import.meta.url);
const published = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

/** Readers pass over fields that they do not know; our own verdicts have none that the schema does not describe. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
  return 'properties' in schema ? { ...parts, additionalProperties: false } : parts;
};

// `version` says which edition of the schema this is; it is ours, not a keyword of JSON Schema.
const ajv = new Ajv2020({ strict: true, allErrors: true, keywords: ['version'] });
formats.default(ajv, ['date-time']);
const check = ajv.compile(closed(published) as object);

/** Throws AssertionError where the verdict, written as JSON and read again, is not what the schema says: NaN and infinity come back as null. */
export const assertPublished = (verdict: unknown): void => {
  const read: unknown = JSON.parse(JSON.stringify(verdict));
  assert.ok(check(read), ajv.errorsText(check.errors, { dataVar: 'verdict', separator: '\n' }));
};

/** judgeModel, whose every verdict is held against the published schema. */
export const judgeModel = (input: JudgeInput, measures?: Measures): ModelVerdict => {
  const verdict = judge(input, measures);
  assertPublished(verdict);
  return verdict;
};
