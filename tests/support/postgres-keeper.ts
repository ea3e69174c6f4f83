// Keeps one PostgreSQL for a whole test run (scripts/test.mjs starts it): prints the URL of its server, ends when its stdin
// does, which is when the run ends, however it ends.
import { startTestPostgres } from './postgres-server.ts';

const server = await startTestPostgres();
console.log(server.urlOf('postgres'));
process.stdin.resume();
process.stdin.on('end', async () => {
  await server.stop();
  process.exit(0);
});
