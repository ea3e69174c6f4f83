// No sandbox (--no-sandbox): the program runs as this user, sees the machine and its network. Limits hold, and the process
// tree is killed as far as it can be found. For machines where no sandbox can be made; every record is tainted.
import { randomBytes } from 'node:crypto';
import { killEach, processesMarked, processTree } from './process-tree.ts';
import type { Command, Ending, Mount, Sandbox } from './sandbox.ts';
import { watch } from './watch.ts';

const markName = 'RETRAIN_RUN_MARK';

export const none = (): Sandbox => ({
  name: 'none',
  taints: ['unsandboxed'],
  confines: false,
  async check() {},
  pathInside: (mount: Mount) => mount.source,
  run(command: Command): Promise<Ending> {
    const mark = randomBytes(16).toString('hex');
    // A child may start children while the list is read: until no new one is found.
    const sweep = async (): Promise<void> => {
      for (let round = 0; round < 100; round++) {
        const left = await processesMarked(`${markName}=${mark}`);
        if (left.length === 0) return;
        killEach(left);
      }
    };
    return watch(command, {
      argv: command.argv,
      env: { ...command.env, [markName]: mark },
      cwd: command.cwd,
      kill: async (pid) => {
        killEach(await processTree(pid));
        await sweep();
      },
      sweep,
    });
  },
});
