// Nonces of nodes' tokens, kept until the tokens are dead: each token opens one request, whichever api gets it and however often
// one is restarted.
import type { Connection } from '../client.ts';

/** Whether the nonce is new; it is not afterwards. `deadAt`: from when on its token is refused for its age. */
export const take = async (db: Connection, nodeId: string, nonce: string, deadAt: Date): Promise<boolean> => {
  const taken = await db.$executeRaw`
    INSERT INTO node_nonce (node_id, nonce, dead_at) VALUES (${nodeId}, ${nonce}, ${deadAt}) ON CONFLICT DO NOTHING`;
  return taken === 1;
};

/** Forgets those whose tokens were dead before `before`. Returns how many. */
export const forget = (db: Connection, before: Date): Promise<number> =>
  db.$executeRaw`DELETE FROM node_nonce WHERE dead_at < ${before}`;
