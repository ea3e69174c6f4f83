// People prove who they are by a bearer token, of which the store keeps only the hash. Reads need none.

import type { Database } from '@retraind/prisma/client';
import * as tokens from '@retraind/prisma/store/tokens';
import { Problem } from '@retraind/shared/wire/problems';
import type { FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who changes something: a person's token name. Set by `needsPerson`. */
    actor: string;
    /** The node that signed this request. Set by `needsNode`. */
    nodeId: string;
  }
}

/** Only who bears a token with one of these roles may go on. */
export function needsPerson(
  db: Database,
  roles: readonly tokens.Role[] = tokens.roles,
): preHandlerAsyncHookHandler {
  return async (request: FastifyRequest) => {
    const token = request.headers.authorization?.match(/^Bearer ([\x21-\x7e]{1,512})$/i)?.[1];
    if (token === undefined) {
      throw new Problem(
        'unauthorized',
        'This changes something, so it needs a bearer token.',
        'Send `Authorization: Bearer TOKEN`; an embedded farm keeps its token in its data folder.',
      );
    }
    const bearer = await tokens.find(db, token);
    if (bearer === null) throw new Problem('unauthorized', 'The bearer token is not known, or was revoked.');
    if (!roles.includes(bearer.role)) {
      throw new Problem('forbidden', `${bearer.name} is ${bearer.role}; this needs ${roles.join(' or ')}.`);
    }
    request.actor = bearer.name;
  };
}
