// Where a kind of run may go at a moment: what lasts (Fleet.fit), what goes by the name of a node, and the room that is left.
import { exclusionClause } from './clauses.ts';
import type { Fleet, SlotView } from './fleet.ts';
import type { Moment } from './moment.ts';
import type { Kind } from './queue.ts';

/** A slot that is open to a kind, and how it serves it. */
export interface Open {
  view: SlotView;
  fit: NonNullable<ReturnType<Fleet['fit']>>;
}

/** How a slot would serve a kind were it free and its node empty; null where it would not. */
export function fitHere(
  { queue }: Moment,
  kind: Kind,
  view: SlotView,
  avoided: ReadonlySet<string>,
): Open['fit'] | null {
  const fit = queue.fleet.fit(kind, view);
  if (fit === null || avoided.has(view.node.nodeId)) return null;
  return exclusionClause.holds(kind.ask, view.node, view.slot) ? fit : null;
}

/** Free slots that a kind fits by all but budget and kept room. */
export function openSlots(moment: Moment, kind: Kind, avoided: ReadonlySet<string>): Open[] {
  const open: Open[] = [];
  for (const view of moment.free.values()) {
    const fit = fitHere(moment, kind, view, avoided);
    if (fit !== null && moment.hasRoom(kind, view)) open.push({ view, fit });
  }
  return open;
}
