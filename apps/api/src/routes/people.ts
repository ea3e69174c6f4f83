// People: their tokens, their budgets, and what they did.
import { randomBytes } from 'node:crypto';
import * as audit from '@retraind/prisma/store/audit';
import * as budgets from '@retraind/prisma/store/budgets';
import * as tokens from '@retraind/prisma/store/tokens';
import type { Account } from '@retraind/shared/policy/world';
import {
  AuditEntry,
  Budget,
  BudgetRequest,
  Token,
  TokenMade,
  TokenRequest,
} from '@retraind/shared/wire/campaigns';
import {
  decodeCursor,
  encodeCursor,
  nextLink,
  PageOf,
  PageQuery,
  pageLimits,
} from '@retraind/shared/wire/page';
import { Problem } from '@retraind/shared/wire/problems';
import { Deed } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, answersNothing, bearer } from '../route.ts';
import { queryOf } from '../validator.ts';

const Word = Type.Optional(Type.String({ maxLength: 256 }));
const AuditQuery = queryOf({ ...PageQuery.properties, actor: Word, deed: Word, subject: Word });

export function peopleRoutes(app: App, { db }: Farm): void {
  app.get(
    '/api/v1/audit',
    {
      schema: {
        tags: ['people'],
        summary: 'Who did what, when and why; the newest first',
        querystring: AuditQuery,
        response: answers(PageOf(AuditEntry), 'A page of the audit; the Link header leads to the next.'),
      },
    },
    async (request, reply) => {
      const { limit = pageLimits.default, cursor, ...filter } = request.query;
      const before = cursor === undefined ? null : Number(decodeCursor(cursor, 1)[0]);
      if (Number.isNaN(before)) decodeCursor('', 1);
      const { notes, next } = await audit.page(db, filter, limit, before);
      const nextCursor = next === null ? null : encodeCursor([String(next)]);
      if (nextCursor) reply.header('link', nextLink('/api/v1/audit', request.query, nextCursor));
      return {
        items: notes.map(({ at, facts, ...entry }) => ({
          ...entry,
          at: at.toISOString(),
          facts: facts as Record<string, unknown>,
        })),
        next: nextCursor,
      };
    },
  );

  app.get(
    '/api/v1/budgets',
    {
      schema: {
        tags: ['people'],
        summary: 'All budgets: limits, what is spent, and what is set aside for runs that hold a slot',
        response: answers(Type.Object({ items: Type.Array(Budget) }), 'The budgets.'),
      },
    },
    async () => ({ items: (await budgets.list(db)).map(budgetView) }),
  );

  app.post(
    '/api/v1/budgets',
    {
      preHandler: needsRight(db, 'budgets.set'),
      schema: {
        tags: ['people'],
        summary: 'Set the limits of an account; `renew` forgets what it has spent',
        security: bearer,
        body: BudgetRequest,
        response: answers(Budget, 'The budget.'),
      },
    },
    async (request) => {
      const { account, renew = false, reason, ...given } = request.body;
      const known = (await budgets.list(db)).find((one) => one.account === account);
      const limit = (name: 'gpuHours' | 'cpuHours' | 'approvalGpuHours' | 'approvalCpuHours') =>
        given[name] === undefined ? (known?.[name] ?? null) : given[name];
      await budgets.set(
        db,
        {
          account: account as Account,
          gpuHours: limit('gpuHours'),
          cpuHours: limit('cpuHours'),
          approvalGpuHours: limit('approvalGpuHours'),
          approvalCpuHours: limit('approvalCpuHours'),
          renew,
        },
        { actor: request.actor, reason },
      );
      return budgetView((await budgets.list(db)).find((one) => one.account === account)!);
    },
  );

  app.get(
    '/api/v1/tokens',
    {
      preHandler: needsRight(db, 'tokens.list'),
      schema: {
        tags: ['people'],
        summary: 'Who bears a token, with role and reach',
        security: bearer,
        response: answers(Type.Object({ items: Type.Array(Token) }), 'The tokens, without what proves them.'),
      },
    },
    async () => ({
      items: (await tokens.list(db)).map(({ createdAt, revokedAt, ...token }) => ({
        ...token,
        createdAt: createdAt.toISOString(),
        revokedAt: revokedAt?.toISOString() ?? null,
      })),
    }),
  );

  app.post(
    '/api/v1/tokens',
    {
      preHandler: needsRight(db, 'tokens.make'),
      schema: {
        tags: ['people'],
        summary: 'Make a token; it is told this once, and its hash alone is kept',
        security: bearer,
        body: TokenRequest,
        response: answersCreated(TokenMade, 'Made.'),
      },
    },
    async (request, reply) => {
      const { name, role, suites = [], sources = [], reason } = request.body;
      requireReach(request.body);
      const token = randomBytes(32).toString('base64url');
      await tokens.make(db, token, { name, role, suites, sources }, { actor: request.actor, reason });
      reply.code(201);
      return { name, token };
    },
  );

  app.post(
    '/api/v1/tokens/:name/revoke',
    {
      preHandler: needsRight(db, 'tokens.revoke'),
      schema: {
        tags: ['people'],
        summary: 'End a token by its name',
        security: bearer,
        params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) }),
        body: Deed,
        response: answersNothing('Ended.'),
      },
    },
    async (request, reply) => {
      const why = { actor: request.actor, reason: request.body.reason };
      await tokens.revoke(db, request.params.name, why);
      return reply.code(204).send(undefined);
    },
  );
}

/** A reach that the role does not have would be believed. */
function requireReach({ role, suites = [], sources = [] }: TokenRequest): void {
  const fault =
    role === 'porter' && (suites.length === 0 || sources.length > 0)
      ? 'A porter is bound to suites, at least one (`*` for all), and to no packages.'
      : role === 'maintainer' && (sources.length === 0 || suites.length > 0)
        ? 'A maintainer is bound to source packages, at least one, and to no suites.'
        : role === 'admin' && suites.length + sources.length > 0
          ? 'An admin is bound to nothing.'
          : null;
  if (fault !== null)
    throw new Problem('invalid-request', fault, 'Name `suites` or `sources` as the role needs.');
}

const budgetView = ({ since, setAt, ...budget }: budgets.StoredBudget): Budget => ({
  ...budget,
  since: since.toISOString(),
  setAt: setAt.toISOString(),
});
