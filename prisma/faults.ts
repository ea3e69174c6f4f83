// What the database refused, told apart. Prisma wraps the driver's error differently for models and for raw statements.
import { Prisma } from './generated/client.ts';

/** PostgreSQL's SQLSTATE of an error that came through Prisma; null where it is no error of the database. */
export const sqlState = (error: unknown): string | null => {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return null;
  const meta = error.meta as
    | { code?: string; driverAdapterError?: { cause?: { originalCode?: string } } }
    | undefined;
  return meta?.driverAdapterError?.cause?.originalCode ?? meta?.code ?? null;
};

/** Whether a unique index refused the row. */
export const isDuplicate = (error: unknown): boolean =>
  sqlState(error) === '23505' ||
  (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002');

/** Prisma's codes, the system's and PostgreSQL's for: there is nobody there, or not now. */
const awayCodes = new Set([
  ...['P1001', 'P1002', 'P1003', 'P1008', 'P1017', 'P2024', 'P2028'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  ...['57P01', '57P02', '57P03', '08001', '08003', '08006', '53300'],
]);
const awayKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'DatabaseDoesNotExist',
]);

/**
 * Whether an error means that the database is away (stopped, restarting, out of reach), not that it refused; in all the
 * shapes in which driver, adapter and client hand it on (durability.test.ts). A deed whose answer was lost may have been
 * done all the same: repeat it, do not assume.
 */
export const isAway = (error: unknown, depth = 0): boolean => {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const { code, originalCode, kind, syscall, message, cause, meta } = error as Record<string, unknown>;
  if (awayCodes.has(String(code)) || awayCodes.has(String(originalCode)) || awayKinds.has(String(kind)))
    return true;
  // The socket of a PostgreSQL that does not run; Prisma keeps the code and drops the syscall.
  if (code === 'ENOENT' && (syscall === 'connect' || /connect ENOENT/.test(String(message)))) return true;
  if (/Connection terminated|is not queryable|timeout exceeded when trying to connect/.test(String(message)))
    return true;
  const adapter = (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError;
  return isAway(adapter, depth + 1) || isAway(cause, depth + 1);
};
