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
