// No sandbox (--no-sandbox): the program runs as this user, sees the machine and its network. Limits hold, and the process
// tree is killed as far as it can be found. For machines where no sandbox can be made; every record is tainted.
import type { Keeper } from './keeper.ts';
import type { Command, Ending, Mount, Sandbox } from './sandbox.ts';
import { watch } from './watch.ts';

export const none = (keeper: () => Keeper): Sandbox => ({
  name: 'none',
  taints: ['unsandboxed'],
  confines: false,
  async check() {},
  pathInside: (mount: Mount) => mount.source,
  run: (command: Command): Promise<Ending> =>
    watch(command, { argv: command.argv, env: command.env, cwd: command.cwd, keeper: keeper() }),
});
