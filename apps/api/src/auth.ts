// People prove who they are by a bearer token, of which the store keeps only the hash. Reads need none. What a role may do, and how
// far, is the table of shared/policy/roles.

import type { Database } from '@retraind/prisma/client';
import * as tokens from '@retraind/prisma/store/tokens';
import { type Bearer, type Deed, objection, type Place, reachOf, roles } from '@retraind/shared/policy/roles';
import { Problem } from '@retraind/shared/wire/problems';
import type { FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who changes something: a person's token name. Set by `needsRight`. */
    actor: string;
    /** The person, with role and reach. Set by `needsRight`. */
    bearer: Bearer;
    /** The node that signed this request. Set by `needsNode`. */
    nodeId: string;
  }
}

/** Only who bears a token with a role that may do this somewhere may go on; `requireRight` asks where. */
export function needsRight(db: Database, deed: Deed): preHandlerAsyncHookHandler {
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
    if (reachOf(bearer.role, deed) === null) {
      const able = roles.filter((role) => reachOf(role, deed) !== null);
      throw new Problem('forbidden', `${bearer.name} is ${bearer.role}; this needs ${able.join(' or ')}.`);
    }
    request.actor = bearer.name;
    request.bearer = bearer;
  };
}

/** Throws `forbidden` where the person's reach does not go as far as this suite or package. */
export function requireRight(bearer: Bearer, deed: Deed, place: Place): void {
  const against = objection(bearer, deed, place);
  if (against !== null) throw new Problem('forbidden', against, 'An admin gives tokens their reach.');
}
