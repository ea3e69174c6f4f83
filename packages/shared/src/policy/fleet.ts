// The nodes as the queue asks about them: what a slot is to all runs of a kind is worked out once for all slots of its shape.
import { type Ask, exclusionClause, fitOf } from './clauses.ts';
import type { WorldNode, WorldSlot } from './world.ts';

/** A slot with what is asked of it often. */
export interface SlotView {
  key: string;
  node: WorldNode;
  slot: WorldSlot;
  /** Equal for slots that answer every lasting clause alike. */
  shape: string;
  deviceMemoryBytes: number;
}

export interface NodeView {
  node: WorldNode;
  slots: SlotView[];
  datasets: ReadonlySet<string>;
}

/** What runs ask alike, with the answers that are known so far. */
export interface Asked {
  ask: Ask;
  /** How a slot of a shape serves it; null: never. */
  fits: Map<string, ReturnType<typeof fitOf>>;
  /** Whether no registered node will ever take it, and by which shapes. */
  hopeless: { version: number; answer: boolean };
}

export const unanswered = (ask: Ask): Asked => ({
  ask,
  fits: new Map(),
  hopeless: { version: -1, answer: false },
});

export const slotKey = (nodeId: string, slot: number): string => `${nodeId}/${slot}`;

export class Fleet {
  readonly nodes = new Map<string, NodeView>();
  /** One slot of each shape that a node has which may serve again some day. */
  readonly #shapes = new Map<string, { view: SlotView; count: number }>();
  /** Changes with `#shapes`. */
  #shapesVersion = 0;

  putNode(node: WorldNode): void {
    this.dropNode(node.nodeId);
    const { machine, tags, memoryBytes, longestRunSeconds } = node;
    const shared = JSON.stringify([machine, tags, memoryBytes, longestRunSeconds]);
    const slots = node.slots.map((slot): SlotView => {
      const deviceMemoryBytes = slot.accelerators.reduce((sum, device) => sum + device.memoryBytes, 0);
      return {
        key: slotKey(node.nodeId, slot.slot),
        node,
        slot,
        shape: `${shared} ${JSON.stringify(slot.accelerators)}`,
        deviceMemoryBytes,
      };
    });
    this.nodes.set(node.nodeId, { node, slots, datasets: new Set(node.datasetDigests) });
    if (node.retired) return;
    for (const view of slots) {
      const known = this.#shapes.get(view.shape);
      if (known === undefined) this.#shapesVersion++;
      this.#shapes.set(view.shape, { view, count: (known?.count ?? 0) + 1 });
    }
  }

  dropNode(nodeId: string): void {
    const view = this.nodes.get(nodeId);
    this.nodes.delete(nodeId);
    if (view === undefined || view.node.retired) return;
    for (const { shape } of view.slots) {
      const known = this.#shapes.get(shape)!;
      known.count--;
      if (known.count > 0) continue;
      this.#shapes.delete(shape);
      this.#shapesVersion++;
    }
  }

  /** How a slot serves a kind by what lasts; null: never. */
  fit(kind: Asked, view: SlotView): ReturnType<typeof fitOf> {
    const known = kind.fits.get(view.shape);
    if (known !== undefined) return known;
    const fit = fitOf(kind.ask, view.node, view.slot);
    kind.fits.set(view.shape, fit);
    return fit;
  }

  /** Whether no node that is registered (drained, silent and pending ones too) could take it even idle. */
  isHopeless(kind: Asked): boolean {
    // Exclusions go by the node, not by its shape; they are rare.
    if (kind.ask.excludedNodes.length > 0) {
      return [...this.nodes.values()].every(({ node, slots }) =>
        slots.every(
          (view) =>
            node.retired ||
            !exclusionClause.holds(kind.ask, node, view.slot) ||
            this.fit(kind, view) === null,
        ),
      );
    }
    if (kind.hopeless.version !== this.#shapesVersion) {
      const answer = [...this.#shapes.values()].every(({ view }) => this.fit(kind, view) === null);
      kind.hopeless = { version: this.#shapesVersion, answer };
    }
    return kind.hopeless.answer;
  }
}
