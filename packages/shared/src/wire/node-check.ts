// A check of a node, as a job tells it (node/checks).
import { type Static, Type } from 'typebox';
import { checkKinds, checkOutcomes } from '../node/checks.ts';
import { literals, NodeId, RunId } from './messages.ts';
import { Href, nullable, Text, Time } from './shapes.ts';

/** A run that the farm makes for its own sake: to hold what a node reported against what another one gives for the same seed. */
export const NodeCheck = Type.Object({
  runId: RunId,
  /** Whose result it repeats. */
  ofRunId: RunId,
  kind: literals(checkKinds),
  /** Why, in one phrase. */
  reason: Text,
  /** Null while it waits or runs. */
  outcome: nullable(literals(checkOutcomes)),
  /** Nodes that two others contradicted in this job when it ended. */
  contradicts: Type.Array(NodeId),
  createdAt: Time,
  runHref: Href,
});
export type NodeCheck = Static<typeof NodeCheck>;
