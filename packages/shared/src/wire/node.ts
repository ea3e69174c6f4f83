// What nodes say of themselves, and what the farm says of them.
import { type Static, Type } from 'typebox';
import { shownNodeStates } from '../node/states.ts';
import { mostTags, tagPattern, tagProvenances } from '../node/tags.ts';
import { AcceleratorShape, literals, NodeId, NodeInventory, Sha256 } from './messages.ts';
import { RunSummary } from './resources.ts';
import { Count, Href, nullable, Text, Time } from './shapes.ts';

const Tag = Type.String({ pattern: tagPattern });
/** An EiB: no machine has so much of anything. */
const Bytes = Type.Integer({ minimum: 0, maximum: 2 ** 60 });
const Percent = Type.Number({ minimum: 0, maximum: 100 });
/** One line of text. */
const NodeName = Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,128}$' });
const NodeClass = Type.String({ pattern: '^[a-z0-9]+(\\+[a-z0-9_]+)*$', maxLength: 64 });
const Slots = Type.Integer({ minimum: 1, maximum: 256 });
const Reason = Type.String({ minLength: 1, maxLength: 1_000 });

/** How a machine is at a moment. */
export const NodeVitals = Type.Object({
  /** By the node's own clock; the farm measures the offset. */
  at: Time,
  /** Runnable processes, mean of a minute. */
  load: Type.Number({ minimum: 0, maximum: 1e6 }),
  memoryFreeBytes: Bytes,
  /** Share of the last ten seconds in which some process waited for it, per cent (Linux PSI `some avg10`); null where the kernel does not say. */
  pressure: nullable(Type.Object({ cpu: Percent, memory: Percent, io: Percent })),
  /** Of the file system that runs and cache lie on. */
  diskBytes: Bytes,
  diskFreeBytes: Bytes,
  /** Data files in the cache, by sha256, the latest used first. */
  datasetDigests: Type.Array(Sha256, { maxItems: 256 }),
});
export type NodeVitals = Static<typeof NodeVitals>;

/** What a node says that it is. */
const selfParts = {
  inventory: NodeInventory,
  cores: Type.Integer({ minimum: 1, maximum: 65_536 }),
  memoryBytes: Type.Integer({ minimum: 1, maximum: 2 ** 60 }),
  /** What it says of itself: shown, and of no effect until an admin says it too. */
  tags: Type.Array(Tag, { maxItems: mostTags, uniqueItems: true }),
};

/** A sign of life (`POST /api/v1/nodes/self`), every ten seconds. */
export const NodeReport = Type.Object({ ...selfParts, vitals: NodeVitals });
export type NodeReport = Static<typeof NodeReport>;

/** A machine asks to serve (`POST /api/v1/nodes/enrol`), signed with the key that it brings. */
export const NodeEnrolment = Type.Object(
  {
    publicKey: Type.String({ maxLength: 1_000, description: 'ed25519, SPKI PEM.' }),
    name: NodeName,
    class: NodeClass,
    slots: Slots,
    /** sha256 of the password that the node will give to Redis. */
    queueSha256: Sha256,
    ...selfParts,
  },
  { additionalProperties: false },
);
export type NodeEnrolment = Static<typeof NodeEnrolment>;

/** A node registered and approved at once by an admin (`POST /api/v1/nodes`): what it reports first is what is approved. */
export const NodeRequest = Type.Object(
  {
    publicKey: Type.String({ maxLength: 1_000, description: 'ed25519, SPKI PEM.' }),
    name: NodeName,
    class: NodeClass,
    slots: Slots,
    queueSha256: Type.Optional(Sha256),
  },
  { additionalProperties: false },
);
export type NodeRequest = Static<typeof NodeRequest>;

const SetTags = Type.Array(Type.Object({ tag: Tag, mandatory: Type.Boolean() }), { maxItems: mostTags });

/** An admin lets a node serve, with what it reports now (`POST /api/v1/nodes/{nodeId}/approve`). */
export const NodeApproval = Type.Object(
  {
    reason: Reason,
    name: Type.Optional(NodeName),
    slots: Type.Optional(Slots),
    tags: Type.Optional(SetTags),
  },
  { additionalProperties: false },
);
export type NodeApproval = Static<typeof NodeApproval>;

/** An admin's word on a node's tags (`POST /api/v1/nodes/{nodeId}/tags`). */
export const NodeTagging = Type.Object(
  { reason: Reason, add: SetTags, remove: Type.Array(Tag, { maxItems: mostTags }) },
  { additionalProperties: false },
);
export type NodeTagging = Static<typeof NodeTagging>;

/** An admin says how long a run of a node may be (`POST /api/v1/nodes/{nodeId}/limit`). */
export const NodeLimit = Type.Object(
  {
    reason: Reason,
    /** Null for any. */
    longestRunSeconds: nullable(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  },
  { additionalProperties: false },
);
export type NodeLimit = Static<typeof NodeLimit>;

const Inventory = Type.Object({
  ...NodeInventory.properties,
  cores: Type.Integer(),
  memoryBytes: Type.Integer(),
});

/** A deed on a node, from the audit. */
const NodeDeed = Type.Object({ at: Time, actor: Text, deed: Text, reason: Text });

/** A node and what it offers. */
export const Node = Type.Object({
  nodeId: NodeId,
  name: Text,
  class: Text,
  /** `offline`: approved, and silent for longer than policy/world allows. */
  state: literals(shownNodeStates),
  /** Why it is in its state, where somebody said so. */
  reason: nullable(Text),
  stateBy: Text,
  stateAt: Time,
  slots: Count,
  /** It takes runs whose time limit is known and no longer than this; null: any. */
  longestRunSeconds: nullable(Count),
  /** Ways to use the devices that are both approved and reported: what runs are placed by. */
  accelerators: Type.Array(AcceleratorShape),
  /** What the node says that it has; null before its first report. */
  inventory: nullable(Inventory),
  approvedInventory: nullable(Inventory),
  /** What it lacks of what was approved; each a sentence. */
  inventoryFaults: Type.Array(Text),
  /** Devices that it reports and nobody approved: not used. */
  newDeviceIds: Type.Array(Text),
  tags: Type.Array(
    Type.Object({
      tag: Text,
      provenance: literals(tagProvenances),
      by: Text,
      at: Time,
      mandatory: Type.Boolean(),
    }),
  ),
  vitals: nullable(NodeVitals),
  program: nullable(Text),
  protocol: nullable(Count),
  /** The node's clock less the farm's; null before its first report. */
  clockOffsetSeconds: nullable(Type.Number()),
  /** When a token was last refused for its time, and no report came since: a wrong clock, or an old token replayed. */
  clockRefusedAt: nullable(Time),
  /** Runs in a row that blamed it; three drain it. */
  faultsInRow: Count,
  /** sha256 of its Redis password (256 bits of chance): what its ACL user is made of. */
  queueSha256: nullable(Sha256),
  registeredAt: Time,
  seenAt: nullable(Time),
  /** Those that its slots hold now. */
  runs: Type.Array(RunSummary),
  href: Href,
  pageHref: Href,
});
export type Node = Static<typeof Node>;

/** A node with the latest deeds on it, newest first. */
export const NodeDetail = Type.Object({ ...Node.properties, deeds: Type.Array(NodeDeed) });
export type NodeDetail = Static<typeof NodeDetail>;
