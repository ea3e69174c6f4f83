// Which nodes this farm understands. The protocol is what nodes and farm say to each other (wire/messages); its number grows
// when an older side would misread the newer one. A node tells its own in every token (attest/node-token), so that the farm
// knows it before it reads a body.
//
//   protocol   since    what changed
//   1          0.1.0    POST /api/v1/nodes/self tells inventory and vitals; the token tells program and protocol
//   2          0.1.0    an assignment names the devices that the run may have (`deviceIds`)
//
// A node that tells none is from before 1. One of 1 deals its devices to runs by itself, also those that nobody approved, and so gets
// no run any more. What the farm understands is docs/reference/nodes.md.

/** What this code speaks. */
export const protocol = 2;

/** The oldest that the farm still understands. */
export const leastProtocol = 2;

/** Why a node of this protocol gets no run; null where it may. */
export function protocolFault(theirs: number, program: string | null): string | null {
  if (theirs >= leastProtocol && theirs <= protocol) return null;
  const range = leastProtocol === protocol ? `${protocol}` : `${leastProtocol} to ${protocol}`;
  return `its program (${program ?? 'unnamed'}) speaks protocol ${theirs}, the farm ${range}: ${
    theirs < leastProtocol ? 'upgrade the node' : 'upgrade the farm first, then its nodes'
  }`;
}
