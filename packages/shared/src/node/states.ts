// The states of a node. They live here once; the database's CHECK is compared with this list.
//
//   NODE   pending ──approve──► approved ──drain──► drained ──approve, resume──► approved
//             │                    └─ quarantine ─► quarantined ──resume──► approved      (by the farm, on disagreement)
//             └──────────────── retire ◄──── (from any) ──► retired: its key is revoked for good
//
// A drained or quarantined node gets no run and ends those that it has; `draining` is told while it has some.

export const nodeStates = ['pending', 'approved', 'drained', 'quarantined', 'retired'] as const;
export type NodeState = (typeof nodeStates)[number];

const nodeMoves: Record<NodeState, readonly NodeState[]> = {
  pending: ['approved', 'retired'],
  approved: ['approved', 'drained', 'quarantined', 'retired'],
  drained: ['approved', 'drained', 'quarantined', 'retired'],
  quarantined: ['approved', 'retired'],
  retired: [],
};

/** Whether a node may go from one state to another. Who may ask for it is decided elsewhere. */
export const nodeMayMove = (from: NodeState, to: NodeState): boolean => nodeMoves[from].includes(to);

/** What people are told: the state, and of an approved node whether it is heard of and speaks our protocol. */
export const shownNodeStates = [
  'pending',
  'online',
  'offline',
  'incompatible',
  'draining',
  'drained',
  'quarantined',
  'retired',
] as const;
export type ShownNodeState = (typeof shownNodeStates)[number];
