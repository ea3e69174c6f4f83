// The server without a socket: everything that listens, and nothing that starts. Tests inject into it; main listens.
import { randomBytes } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger } from 'fastify';
import { answerUnchanged } from './etag.ts';
import type { Farm } from './farm.ts';
import { needsNode } from './node-auth.ts';
import { describe } from './openapi.ts';
import { handleProblems } from './problem-handler.ts';
import { publicFiles } from './public-files.ts';
import type { App } from './route.ts';
import { artifactNodeRoutes, artifactRoutes } from './routes/artifacts.ts';
import { estimateRoutes } from './routes/estimates.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { leaseRoutes } from './routes/leases.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { modelRoutes } from './routes/models.ts';
import { nodeDeedRoutes } from './routes/node-deeds.ts';
import { nodeEnrolmentRoutes } from './routes/node-enrolment.ts';
import { nodeRoutes, nodeSelfRoutes } from './routes/nodes.ts';
import { openApiRoute } from './routes/openapi.ts';
import { packageRoutes } from './routes/packages.ts';
import { pageRoutes } from './routes/pages.ts';
import { peopleRoutes } from './routes/people.ts';
import { problemRoutes } from './routes/problems.ts';
import { releaseRoutes } from './routes/releases.ts';
import { runFileRoutes } from './routes/run-files.ts';
import { runRoutes } from './routes/runs.ts';
import { schemaRoutes } from './routes/schemas.ts';
import { suiteRoutes } from './routes/suites.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { validatorCompiler } from './validator.ts';

/** Of a request that says nothing else. */
const bodyBytes = 512 * 1024;

/** Builds the app on a farm; `await app.ready()` or `listen` makes it whole. */
export async function buildApp(farm: Farm, logger?: FastifyBaseLogger): Promise<App> {
  const app = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: bodyBytes,
    genReqId: () => randomBytes(9).toString('base64url'),
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true },
    forceCloseConnections: true,
    return503OnClosing: true,
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  // What is told is made by our own views, typed by the schemas and checked against them by the tests.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest('actor', '');
  app.decorateRequest('bearer');
  app.decorateRequest('nodeId', '');
  handleProblems(app);
  addSecurityHeaders(app);
  answerUnchanged(app);
  app.addHook('preClose', async () => farm.streams.endAll());
  app.addHook('onRoute', ({ method, url, schema }) => {
    // What is not described is not checked, and missing from the documents.
    if (!(schema as { response?: object })?.response)
      throw new Error(`${String(method)} ${url} has no schema`);
  });
  await describe(app);

  // Routes come in a scope of their own, so that the description sees them all.
  await app.register(async (open) => {
    const scope = open as App;
    jobRoutes(scope, farm);
    evidenceRoutes(scope, farm);
    packageRoutes(scope, farm);
    runRoutes(scope, farm);
    runFileRoutes(scope, farm);
    modelRoutes(scope, farm);
    artifactRoutes(scope, farm);
    nodeRoutes(scope, farm);
    nodeDeedRoutes(scope, farm);
    suiteRoutes(scope, farm);
    releaseRoutes(scope, farm);
    estimateRoutes(scope, farm);
    ledgerRoutes(scope, farm);
    peopleRoutes(scope, farm);
    problemRoutes(scope);
    schemaRoutes(scope);
    pageRoutes(scope, farm);
    publicFiles(scope);
  });
  await app.register(async (signed) => {
    const scope = signed as App;
    needsNode(scope, farm.db);
    leaseRoutes(scope, farm);
    artifactNodeRoutes(scope, farm);
    nodeSelfRoutes(scope, farm);
  });
  await app.register(async (asking) => nodeEnrolmentRoutes(asking as App, farm));
  healthRoutes(app, farm);
  openApiRoute(app);
  return app;
}
