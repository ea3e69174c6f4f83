// The OpenAPI 3.1 document, made from the schemas of the routes. Resources are named in it once: a schema that is one of
// theirs becomes a reference.
import swagger from '@fastify/swagger';
import * as messages from '@retraind/shared/wire/messages';
import * as node from '@retraind/shared/wire/node';
import * as resources from '@retraind/shared/wire/resources';
import { Verdict } from '@retraind/shared/wire/verdict';
import type { App } from './route.ts';

const named: Record<string, unknown> = {
  Artifact: resources.Artifact,
  Assignment: messages.Assignment,
  Chunk: messages.Chunk,
  Deed: resources.Deed,
  EvidenceBundle: resources.EvidenceBundle,
  Explanation: resources.Explanation,
  Heartbeat: messages.Heartbeat,
  HeartbeatAnswer: messages.HeartbeatAnswer,
  Job: resources.Job,
  JobRequest: resources.JobRequest,
  JobSummary: resources.JobSummary,
  Lease: resources.Lease,
  ModelFile: resources.ModelFile,
  ModelKnown: resources.ModelKnown,
  Node: node.Node,
  NodeApproval: node.NodeApproval,
  NodeDetail: node.NodeDetail,
  NodeEnrolment: node.NodeEnrolment,
  NodeInventory: messages.NodeInventory,
  NodeReport: node.NodeReport,
  NodeRequest: node.NodeRequest,
  NodeTagging: node.NodeTagging,
  NodeVitals: node.NodeVitals,
  Package: resources.Package,
  Problem: resources.ProblemBody,
  RecipeFound: messages.RecipeFound,
  Report: messages.Report,
  Run: resources.Run,
  RunSummary: resources.RunSummary,
  Suite: resources.Suite,
  SuiteRequest: resources.SuiteRequest,
  Verdict,
  Version: resources.Version,
};

export async function describe(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Retraind',
        version: '1',
        description:
          'The build farm for trained models. Reads are open; what changes something needs a bearer token (people) or a token signed by a node’s key. Errors are problem+json (RFC 9457).',
        license: { name: 'GPL-3.0-or-later' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          node: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description:
              '`Node JWT`: EdDSA by the node’s ed25519 key over nodeId, method, path (with query), bodySha256, nonce, iat, exp (60 s at most).',
          },
        },
      },
    },
  });
}

/** The document with named resources. */
export function openApiDocument(app: App): Record<string, unknown> {
  const document = plain(app.swagger()) as Record<string, unknown> & { components?: object };
  const names = new Map(Object.entries(named).map(([name, schema]) => [keyOf(plain(schema)), name]));
  const schemas = Object.fromEntries(
    Object.entries(named).map(([name, schema]) => [name, referenced(plain(schema), names, true)]),
  );
  const { paths, components, ...rest } = document;
  return {
    ...rest,
    paths: referenced(paths, names, false),
    components: { ...(components as object), schemas },
  };
}

/** As JSON, with `const` written as @fastify/swagger writes it. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part) => {
    if (typeof part !== 'object' || part === null || !('const' in part)) return part;
    const { const: only, ...rest } = part as Record<string, unknown>;
    return { ...rest, enum: [only] };
  });

/** Equal for schemas that say the same, in whatever order. */
const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** `value` with every part that is a named schema as a reference; `isRoot` keeps a schema from becoming its own reference. */
function referenced(value: unknown, names: Map<string, string>, isRoot: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const name = isRoot ? undefined : names.get(keyOf(value));
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  if (Array.isArray(value)) return value.map((item) => referenced(item, names, false));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, referenced(item, names, false)]),
  );
}
