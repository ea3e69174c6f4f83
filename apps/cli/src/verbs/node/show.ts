// retrain node show: one machine, whole.

import type { NodeDetail } from '@retraind/shared/wire/node';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode, longestRunLine, nodeLine } from '../../node-lookup.ts';
import { table } from '../../output.ts';

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function describe(node: NodeDetail): string {
  const { inventory, approvedInventory, vitals, newDeviceIds, clockOffsetSeconds: offset } = node;
  const devices = (inventory?.devices ?? []).map((device) => [
    `  ${device.deviceId}`,
    device.name,
    device.architecture,
    gib(device.memoryBytes),
    `driver ${device.driver ?? 'none'}`,
    device.faults.length > 0
      ? `not used: ${device.faults.join('; ')}`
      : newDeviceIds.includes(device.deviceId)
        ? 'not approved, not used'
        : 'in use',
  ]);
  const { pressure } = vitals ?? {};
  return [
    nodeLine(node),
    `program ${node.program ?? 'not told'}, protocol ${node.protocol ?? 'not told'}; seen ${node.seenAt ?? 'never'}`,
    longestRunLine(node),
    ...(inventory?.replayedFrom
      ? [`its devices are replayed from the recording ${inventory.replayedFrom}`]
      : []),
    `devices: ${devices.length} reported, ${approvedInventory?.devices.length ?? 0} approved`,
    ...(devices.length > 0 ? [table(devices)] : []),
    ...node.inventoryFaults.map((fault) => `  lacks: ${fault}`),
    ...node.tags.map(
      ({ tag, provenance, by, at, mandatory }) =>
        `tag ${tag}: ${provenance} by ${by}, ${at}${mandatory ? ', mandatory' : ''}`,
    ),
    ...(vitals
      ? [
          `load ${vitals.load.toFixed(2)}, ${gib(vitals.memoryFreeBytes)} of memory free, ${gib(vitals.diskFreeBytes)} of ${gib(vitals.diskBytes)} of disk free, ${vitals.datasetDigests.length} data files in cache`,
          ...(pressure
            ? [`pressure: CPU ${pressure.cpu} %, memory ${pressure.memory} %, I/O ${pressure.io} %`]
            : []),
        ]
      : []),
    ...(offset === null
      ? []
      : [
          `clock ${offset.toFixed(1)} s off the farm's${node.clockRefusedAt ? `; a token was refused for its time at ${node.clockRefusedAt}` : ''}`,
        ]),
    ...node.deeds
      .slice(0, 10)
      .map(({ at, actor, deed, reason }) => `${at} ${actor} ${deed}${reason ? `: ${reason}` : ''}`),
  ].join('\n');
}

export const nodeShow: Verb = {
  name: 'node show',
  usage: 'node show NODE [--json]',
  summary: 'a node: state, inventories, tags, vitals, deeds',
  words: [1, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const node = await findNode(farm, args.words[0]!);
    output.result(node, describe(node));
    return exitCodes.done;
  },
};
