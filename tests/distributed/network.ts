// A second "machine" for a worker: a network namespace joined to ours by one cable and nothing else. What listens on our end
// of the cable can be reached; our loopback and the world cannot.
import { networkInterfaces } from 'node:os';
import { runCommand } from '@retraind/host/command';
import { ensureTool } from '@retraind/host/debian-tools';

export interface Island {
  /** Address of our end of the cable, where api, Redis and the archive listen. */
  hostAddress: string;
  /** What goes before a command that shall run on the island. */
  prefix: string[];
  /** Why it is no island, where namespaces may not be made. */
  fallback: string | null;
  remove(): Promise<void>;
}

const name = `retraind-${process.pid}`;
const cable = [`rtd${process.pid % 100_000}a`, `rtd${process.pid % 100_000}b`] as const;
/** A network for documentation (RFC 5737) that this machine is not in: some virtual machines use them. */
const addresses = Object.values(networkInterfaces()).flatMap(
  (all) => all?.map(({ address }) => address) ?? [],
);
const network = ['198.51.100', '203.0.113', '192.0.2'].find(
  (each) => !addresses.some((address) => address.startsWith(`${each}.`)),
);
const ours = `${network}.1`;
const theirs = `${network}.2`;

/** Makes the island; where that is not allowed answers loopback and the reason. */
export async function makeIsland(): Promise<Island> {
  try {
    await ensureTool('ip');
    for (const line of [
      `netns add ${name}`,
      `link add ${cable[0]} type veth peer name ${cable[1]} netns ${name}`,
      `addr add ${ours}/30 dev ${cable[0]}`,
      `link set ${cable[0]} up`,
      `-n ${name} addr add ${theirs}/30 dev ${cable[1]}`,
      `-n ${name} link set ${cable[1]} up`,
      `-n ${name} link set lo up`,
    ]) {
      const { code, stderr } = await runCommand('ip', line.split(' '));
      if (code !== 0) throw new Error(`ip ${line}: ${stderr.trim()}`);
    }
    return { hostAddress: ours, prefix: ['ip', 'netns', 'exec', name], fallback: null, remove: removeIsland };
  } catch (error) {
    await removeIsland();
    return {
      hostAddress: '127.0.0.1',
      prefix: [],
      fallback: (error as Error).message,
      remove: async () => undefined,
    };
  }
}

async function removeIsland(): Promise<void> {
  // The cable goes with the namespace that holds its other end.
  await runCommand('ip', ['netns', 'del', name]).catch(() => undefined);
}

/** Whether a TCP connection from the island to an address comes about. */
export async function reaches(island: Island, host: string, port: number): Promise<boolean> {
  const script = `const s = require('node:net').connect({ host: '${host}', port: ${port} });
    s.setTimeout(2000, () => process.exit(1)); s.on('error', () => process.exit(1)); s.on('connect', () => process.exit(0));`;
  const [command, ...args] = [...island.prefix, process.execPath, '-e', script];
  return (await runCommand(command!, args)).code === 0;
}
