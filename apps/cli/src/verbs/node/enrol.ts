// retrain node enrol: on the machine that is to serve. Makes its key where the worker looks for it, looks at its devices, and asks
// the farm; an admin approves it or not.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { nodeClass } from '@retraind/shared/gpu/device';
import { queueSha256 } from '@retraind/shared/node/queue-acl';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { program } from '@retraind/worker/farm-connection';
import { Inventory, machineInventory, replayedInventory } from '@retraind/worker/gpu/inventory';
import { openMachine } from '@retraind/worker/gpu/machine';
import { askToServe } from '@retraind/worker/http-farm-client';
import { loadNodeKey } from '@retraind/worker/node-key';
import { machineOf } from '@retraind/worker/presence';
import { jsonOption, type Verb } from '../../args.ts';
import { machineName } from '../../embedded-farm.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';

const defaultKeyFile = '/var/lib/retraind/node.key';

export const nodeEnrol: Verb = {
  name: 'node enrol',
  usage: 'node enrol --farm URL [--key FILE] [--name NAME] [--slots N] [--tag TAG …] [--json]',
  summary: 'make this machine’s key and ask the farm to take it for a node',
  words: [0, 0],
  options: {
    ...farmOptions,
    key: {
      type: 'string',
      value: 'FILE',
      help: `the node’s key, made where absent (default: RETRAIND_NODE_KEY_FILE, else ${defaultKeyFile})`,
    },
    name: { type: 'string', value: 'NAME', help: 'name that people see (default: the host’s)' },
    slots: { type: 'string', value: 'N', help: 'runs at once (default: one a device, or one)' },
    tag: {
      type: 'string',
      value: 'TAG',
      multiple: true,
      help: 'what the node claims of itself; of no effect until an admin says it too',
    },
    ...jsonOption,
  },
  async run(args, output, signal) {
    // Before a key is made.
    const slots = args.wholeNumber('slots', 1, 256);
    const { address } = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const keyFile = args.text('key') ?? process.env.RETRAIND_NODE_KEY_FILE ?? defaultKeyFile;
    const isNew = !existsSync(keyFile);
    const key = keyOf(keyFile);
    const recording = process.env.RETRAIND_INVENTORY;
    const source = recording ? replayedInventory(recording) : machineInventory(openMachine());
    const inventory = await Inventory.open(source);
    const { devices, replayedFrom } = inventory;
    const node = await askToServe(
      { api: address, key, signal, patienceSeconds: 20 },
      {
        ...machineOf({ devices, replayedFrom, program }),
        publicKey: key.publicKeyPem,
        name: args.text('name') ?? hostname(),
        class: nodeClass(machineName(), devices),
        slots: slots ?? Math.max(1, devices.length),
        tags: args.texts('tag'),
        queueSha256: queueSha256(key.privateKey),
      },
    );
    const { nodeId } = node;
    const told =
      node.state === 'pending'
        ? `asked ${address}: an admin approves it with\n  retrain node approve ${nodeId} -m WHY`
        : `the farm at ${address} knows it already: it is ${node.state}`;
    output.result(
      { ...node, keyFile },
      [
        `node ${nodeId} (${node.class}, ${node.slots} slots, ${devices.length} devices)${isNew ? `, key made in ${keyFile}` : ''}`,
        told,
        `over Redis the worker takes REDIS_URL=rediss://${nodeId}@HOST:PORT (its password comes from the key)`,
      ].join('\n'),
    );
    return exitCodes.done;
  },
};

function keyOf(keyFile: string) {
  try {
    return loadNodeKey(keyFile);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
    throw new Problem(
      'forbidden',
      `the key cannot be made: ${message}`,
      'run it as the worker’s user, or give --key FILE',
    );
  }
}
