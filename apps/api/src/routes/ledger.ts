// The ledger of the infeasible: what cannot be retrained, why, on what evidence, and until when.
import * as ledger from '@retraind/prisma/store/ledger';
import { trainingEstimate } from '@retraind/shared/cost/training';
import { isInForce } from '@retraind/shared/ledger/entry';
import { LedgerEntry, LedgerRequest } from '@retraind/shared/wire/campaigns';
import { Problem } from '@retraind/shared/wire/problems';
import { Deed } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';

export function ledgerRoutes(app: App, { db }: Farm): void {
  app.get(
    '/api/v1/ledger',
    {
      schema: {
        tags: ['ledger'],
        summary: 'All entries: those in force, expired and removed ones',
        response: answers(Type.Object({ items: Type.Array(LedgerEntry) }), 'The ledger.'),
      },
    },
    async () => ({ items: (await ledger.list(db)).map(entryView) }),
  );

  app.post(
    '/api/v1/ledger',
    {
      preHandler: needsRight(db, 'ledger.add'),
      schema: {
        tags: ['ledger'],
        summary: 'Enter a model or package that cannot be retrained; its waiting jobs become auto-not-for-us',
        security: bearer,
        body: LedgerRequest,
        response: answersCreated(LedgerEntry, 'Entered.'),
      },
    },
    async (request, reply) => {
      const { why, training, model, evidence, expiresAt, ...entry } = request.body;
      const expires = new Date(expiresAt);
      if (!(expires.getTime() > Date.now())) {
        throw new Problem(
          'invalid-request',
          '`body.expiresAt` is past.',
          'An entry speaks until it expires.',
        );
      }
      const added = await ledger.add(
        db,
        {
          ...entry,
          model: model ?? null,
          evidence: evidence ?? [],
          estimate: training ? trainingEstimate(training) : null,
          expiresAt: expires,
        },
        { actor: request.actor, reason: why },
      );
      reply.code(201);
      return entryView(added);
    },
  );

  app.post(
    '/api/v1/ledger/:ledgerId/remove',
    {
      preHandler: needsRight(db, 'ledger.remove'),
      schema: {
        tags: ['ledger'],
        summary: 'Remove an entry; the jobs that it refused wait again',
        security: bearer,
        params: Type.Object({ ledgerId: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) }),
        body: Deed,
        response: answers(LedgerEntry, 'The entry, removed.'),
      },
    },
    async (request) => {
      const why = { actor: request.actor, reason: request.body.reason };
      const entry = await ledger.remove(db, request.params.ledgerId, why);
      await ledger.reopen(db);
      return entryView(entry);
    },
  );
}

export const entryView = (entry: ledger.StoredEntry): LedgerEntry => ({
  ...entry,
  inForce: isInForce(entry, new Date()),
  estimate: entry.estimate && { ...entry.estimate, gpuHoursRange: [...entry.estimate.gpuHoursRange] },
  reviewedAt: entry.reviewedAt.toISOString(),
  expiresAt: entry.expiresAt.toISOString(),
  removedAt: entry.removedAt?.toISOString() ?? null,
});
