// What the next lease of a run has to heed after those that it had (prisma/store/world, lease-end).
import { followUpOf } from '../job/blame-rules.ts';
import { deviceMemoryOf } from '../job/device-memory.ts';
import type { DeviceMemory } from '../job/failure.ts';
import type { WorldRun } from '../policy/world.ts';
import type { NodeRow, RunRow } from './rows.ts';

type Nodes = ReadonlyMap<string, NodeRow>;

/** Nodes that it should or must not have, by the blame of the earlier leases. */
export function avoidedBy(
  { earlier }: Pick<RunRow, 'earlier'>,
  nodes: Nodes,
): Pick<WorldRun, 'failedOn' | 'excludedNodes'> {
  const failed = earlier.filter(({ blame }) => blame === 'node');
  const named = (leases: typeof failed) => [...new Set(leases.map(({ nodeId }) => nodeId!))].sort();
  const excluding = failed.filter(
    ({ code, nodeId, endedAt }) =>
      followUpOf('node', code ?? '') === 'other-node' && endedAt > nodes.get(nodeId!)!.stateAt,
  );
  return {
    failedOn: named(failed),
    excludedNodes: named(excluding).map((nodeId) => ({ nodeId, reason: 'its device failed this run' })),
  };
}

/** The memory of the device that a leased run has, beside that of the farm's. */
export function memoryOfDevice({ job, world }: RunRow, nodes: Nodes): DeviceMemory {
  const serving = [...nodes.values()]
    .map((row) => row.world)
    .filter((node) => node.approved && !node.retired);
  const { nodeId, slot } = world.holder!;
  const { leastDeviceMemoryBytes, demand } = job.world;
  return deviceMemoryOf({
    given: nodes.get(nodeId)!.world.slots[slot]!.accelerators,
    farm: serving.flatMap(({ slots }) => slots.flatMap(({ accelerators }) => accelerators)),
    demandedBytes: demand.gpuMemoryBytes,
    raisedBytes: leastDeviceMemoryBytes > 0 ? leastDeviceMemoryBytes : null,
  });
}
