// Pages of a list: an opaque cursor that names the last item seen, never an offset, so that new rows do not shift a page.
// The next page is told twice: as `next` in the body and as a Link header (RFC 8288).
import { type Static, type TSchema, Type } from 'typebox';
import { Problem } from './problems.ts';

export const pageLimits = { default: 50, max: 200 } as const;

/** Query parameters of every list. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: pageLimits.max, description: 'Items a page, 50 unless said.' }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 512, description: 'The `next` of the page before; opaque.' }),
    ),
  },
  { additionalProperties: false },
);
export type PageQuery = Static<typeof PageQuery>;

/** The schema of one page of `item`; `next` is null on the last one. */
export const PageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, or null.' }),
  });

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Packs the sort key of the last item, e.g. `[createdAt, jobId]`. Keys are ASCII. */
export const encodeCursor = (key: readonly string[]): string =>
  btoa(JSON.stringify(key)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/**
 * Unpacks a cursor into `length` strings.
 * @throws Problem `invalid-request` when the cursor was not made by `encodeCursor`.
 */
export function decodeCursor(cursor: string, length: number): string[] {
  try {
    const key: unknown = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
    if (Array.isArray(key) && key.length === length && key.every((part) => typeof part === 'string')) {
      return key;
    }
  } catch {
    // Told below: whatever is wrong with it, the cure is the same.
  }
  throw new Problem(
    'invalid-request',
    'The query field `cursor` is not one that this farm gave out.',
    'Leave `cursor` out to start from the first page, then follow `next`.',
  );
}

/** The Link header for the next page: the same address and filters with the new cursor. */
export function nextLink(path: string, query: Record<string, unknown>, next: string): string {
  const parts = Object.entries({ ...query, cursor: next })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return `<${path}?${parts.join('&')}>; rel="next"`;
}
