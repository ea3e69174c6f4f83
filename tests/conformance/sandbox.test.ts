// What every sandbox must keep, run over each. What `none` does not promise (network, host files) is asserted as not
// promised, by its taint.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import {
  type Command,
  type DeviceNode,
  type Mount,
  openSandbox,
  sandboxNames,
} from '../../apps/worker/src/sandbox/sandbox.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-sandbox-'));
after(() => rmSync(room, { recursive: true, force: true }));

for (const name of sandboxNames) {
  const sandbox = openSandbox(name);
  const refusal = await sandbox.check().then(
    () => null,
    (problem: Error) => problem.message,
  );
  suite(`sandbox ${name}`, { skip: refusal ?? false }, () => {
    let turn = 0;
    const start = (script: string, change: Partial<Omit<Command, 'limits'>> & { limits?: object } = {}) => {
      const out = join(room, `${name}-${turn++}`);
      mkdirSync(out);
      const mount: Mount = { source: out, target: '/build/out', writable: true };
      const seen = sandbox.pathInside(mount);
      let log = '';
      const command: Command = {
        argv: ['/bin/sh', '-c', script],
        env: { PATH: '/usr/bin:/bin', OUT: seen },
        cwd: seen,
        mounts: [mount],
        hidden: [],
        signsOfLife: [],
        signal: new AbortController().signal,
        onOutput: (chunk) => {
          log += chunk.toString();
        },
        ...change,
        limits: {
          seconds: 20,
          silenceSeconds: 60,
          logBytes: 1 << 20,
          diskBytes: 32 << 20,
          memoryBytes: 1 << 30,
          ...change.limits,
        },
      };
      return { out, ended: sandbox.run(command), log: () => log };
    };

    test('tells exit codes and signals, and keeps the order of output and error', async () => {
      const three = start('echo one; echo two >&2; echo three; exit 3');
      const ending = await three.ended;
      assert.deepEqual([ending.reason, ending.exitCode], ['exited', 3]);
      assert.equal(three.log(), 'one\ntwo\nthree\n');
      assert.equal((await start('exit 0').ended).exitCode, 0);
      const killed = await start('kill -SEGV $$').ended;
      // bubblewrap tells a signal as the shell does: 128 + 11.
      assert.ok(killed.reason === 'killed' ? killed.signal === 'SIGSEGV' : killed.exitCode === 139);
    });

    test('gives the program its environment and nothing of ours', async () => {
      process.env.RETRAIND_TEST_SECRET = 'secret';
      const env = start('env; cat /proc/1/environ 2>/dev/null | tr "\\0" "\\n" | grep SECRET || true');
      await env.ended;
      delete process.env.RETRAIND_TEST_SECRET;
      assert.match(env.log(), /^OUT=/m);
      assert.doesNotMatch(env.log(), /SECRET/);
    });

    test('what the program writes to its output folder is there afterwards', async () => {
      const write = start('echo hello > "$OUT/file"');
      assert.equal((await write.ended).exitCode, 0);
      assert.equal(readFileSync(join(write.out, 'file'), 'utf8'), 'hello\n');
    });

    test('a program that hangs ends at the silence limit', async () => {
      const ending = await start('echo start; exec sleep 1000', { limits: { silenceSeconds: 0.5 } }).ended;
      assert.equal(ending.reason, 'silence-limit');
      assert.ok(ending.seconds < 20);
    });

    test('growth of a watched file is a sign of life; the time limit still holds', async () => {
      const life = join(room, `${name}-life`);
      mkdirSync(life);
      const script = 'while :; do echo x >> "$LIFE/metrics"; sleep 0.1; done';
      const mount: Mount = { source: life, target: '/build/life', writable: true };
      const ending = await start(script, {
        env: { PATH: '/usr/bin:/bin', LIFE: sandbox.pathInside(mount) },
        cwd: sandbox.pathInside(mount),
        mounts: [mount],
        signsOfLife: [join(life, 'metrics')],
        limits: { silenceSeconds: 1, seconds: 2.5 },
      }).ended;
      assert.equal(ending.reason, 'time-limit');
    });

    test('a huge log is cut at its limit and the program ends', async () => {
      const loud = start('exec yes', { limits: { logBytes: 100_000 } });
      const ending = await loud.ended;
      assert.equal(ending.reason, 'log-limit');
      assert.equal(loud.log().length, 100_000);
      assert.equal(ending.logBytes, 100_000);
    });

    test('a gigabyte of log lines costs a gigabyte to nobody', async () => {
      let kept = 0;
      const loud = start('yes "step 1 loss 0.5 and much more to say about it" | head -c 1000000000', {
        limits: { logBytes: 1 << 20 },
        onOutput: (chunk) => {
          kept += chunk.length;
        },
      });
      const { reason, logBytes } = await loud.ended;
      assert.deepEqual([reason, logBytes, kept], ['log-limit', 1 << 20, 1 << 20]);
    });

    test('an output folder that grows beyond its limit ends the program', async () => {
      const big = (bytes: number, last: string) => {
        const out = join(room, `${name}-output-${turn++}`);
        mkdirSync(out);
        const mount: Mount = { source: out, target: '/build/result', writable: true };
        const result = sandbox.pathInside(mount);
        return start(`head -c ${bytes} /dev/zero > "${result}/model"; ${last}`, {
          mounts: [mount],
          cwd: result,
          output: { folder: out, bytes: 2 << 20 },
        }).ended;
      };
      assert.equal((await big(8 << 20, 'exec sleep 1000')).reason, 'output-limit');
      assert.equal((await big(8 << 20, 'exit 0')).reason, 'output-limit', 'and one that was quick');
      assert.equal((await big(1 << 20, 'exit 0')).reason, 'exited');
    });

    test('a program that is asked to leave may write down where it stands', async () => {
      const leave = new AbortController();
      const polite = start(
        `trap 'echo saved > "$OUT/state"; exit 143' TERM; echo ready; while :; do sleep 0.05; done`,
        {
          leave: { signal: leave.signal, graceSeconds: () => 20 },
          onOutput: () => leave.abort(),
        },
      );
      const ending = await polite.ended;
      assert.equal(ending.reason, 'left');
      assert.equal(readFileSync(join(polite.out, 'state'), 'utf8'), 'saved\n');
      assert.ok(ending.seconds < 15);
    });

    test('a program that is asked to leave and ends well has ended well', async () => {
      const leave = new AbortController();
      const done = start(`trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done`, {
        leave: { signal: leave.signal, graceSeconds: () => 20 },
        onOutput: () => leave.abort(),
      });
      const { reason, exitCode } = await done.ended;
      assert.deepEqual([reason, exitCode], ['exited', 0]);
    });

    test('one that will not leave is ended after its grace, with all that it started', async () => {
      const leave = new AbortController();
      const stubborn = start(
        `trap '' TERM; setsid sh -c 'trap "" TERM; while :; do echo x >> "$OUT/alive"; sleep 0.05; done' > /dev/null 2>&1 & echo ready; while :; do sleep 0.05; done`,
        {
          leave: { signal: leave.signal, graceSeconds: () => 0.5 },
          onOutput: () => leave.abort(),
        },
      );
      assert.equal((await stubborn.ended).reason, 'left');
      const size = existsSync(join(stubborn.out, 'alive'))
        ? readFileSync(join(stubborn.out, 'alive')).length
        : 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const later = existsSync(join(stubborn.out, 'alive'))
        ? readFileSync(join(stubborn.out, 'alive')).length
        : 0;
      assert.equal(later, size);
    });

    test('a full quota ends the program: many files, and one file by the kernel', async () => {
      const many = 'i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > "$OUT/$i"; done';
      assert.equal((await start(many, { limits: { diskBytes: 8 << 20 } }).ended).reason, 'disk-limit');
      const one = start('head -c 100000000 /dev/zero > "$OUT/big"; exit 0', {
        limits: { diskBytes: 4 << 20 },
      });
      assert.equal((await one.ended).reason, 'disk-limit');
      assert.ok(readFileSync(join(one.out, 'big')).length <= 4 << 20);
    });

    test('files that were deleted and are held open count', async () => {
      // Each within the limit of one file; no folder shows them.
      const hold = `exec perl -e 'for $i (1..4) { open $f[$i], ">", "$ENV{OUT}/$i"; unlink "$ENV{OUT}/$i"; syswrite $f[$i], "x" x 4_000_000 } sleep 1000'`;
      assert.equal((await start(hold, { limits: { diskBytes: 8 << 20 } }).ended).reason, 'disk-limit');
    });

    test('the kernel ends it before others where memory runs out', async () => {
      const told = start('cat /proc/self/oom_score_adj');
      await told.ended;
      assert.equal(told.log(), '1000\n');
    });

    test('a program that takes too much memory ends', async () => {
      const hungry = `exec perl -e '$x = "a" x 300_000_000; sleep 1000'`;
      const ending = await start(hungry, { limits: { memoryBytes: 128 << 20 } }).ended;
      assert.equal(ending.reason, 'memory-limit');
    });

    test('orphans die: of a program that ended, and of one that was stopped', async () => {
      for (const [last, limits] of [
        ['exit 0', {}],
        ['exec sleep 1000', { silenceSeconds: 0.5 }],
      ] as const) {
        const orphan =
          'setsid sh -c \'(while :; do echo alive >> "$OUT/alive"; sleep 0.05; done) > /dev/null 2>&1 &\' & ';
        const run = start(`${orphan} while [ ! -s "$OUT/alive" ]; do sleep 0.02; done; ${last}`, { limits });
        await run.ended;
        const size = readFileSync(join(run.out, 'alive')).length;
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(readFileSync(join(run.out, 'alive')).length, size, `an orphan outlived: ${last}`);
      }
    });

    test('a child that throws its environment away and keeps the output open is not waited for', async () => {
      const run = start('echo said; env -i /usr/bin/setsid /bin/sleep 25 & exit 3');
      const { exitCode, seconds } = await run.ended;
      assert.deepEqual([exitCode, run.log()], [3, 'said\n']);
      assert.ok(seconds < 20, `it took ${seconds} s`);
    });

    test('is cancelled by its signal, also before it starts', async () => {
      const cancel = new AbortController();
      const run = start('echo ready; exec sleep 1000', {
        signal: cancel.signal,
        onOutput: () => cancel.abort(),
      });
      assert.equal((await run.ended).reason, 'cancelled');
      const never = start('touch "$OUT/started"', { signal: AbortSignal.abort() });
      assert.equal((await never.ended).reason, 'cancelled');
      assert.equal(existsSync(join(never.out, 'started')), false);
    });

    test('ends at whatever moment of its start it is cancelled', async () => {
      // bubblewrap's outer process and the first one inside are two until the mounts are made: neither may stay alone.
      for (let milliseconds = 0; milliseconds < 40; milliseconds++) {
        const cancel = new AbortController();
        const run = start('exec sleep 1000', { signal: cancel.signal });
        setTimeout(() => cancel.abort(), milliseconds);
        const { reason, seconds } = await run.ended;
        assert.equal(reason, 'cancelled', `after ${milliseconds} ms`);
        assert.ok(seconds < 15, `after ${milliseconds} ms it took ${seconds} s`);
      }
    });

    test('network, host files, other processes: out of reach, or the taint says so', async () => {
      if (!sandbox.confines) {
        assert.deepEqual(sandbox.taints, ['unsandboxed']);
        return;
      }
      const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const dial = `exec perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "127.0.0.1:${port}", Timeout => 2) ? "reached" : "refused"'`;
      const call = start(dial);
      await call.ended;
      server.close();
      assert.equal(call.log(), 'refused');

      writeFileSync(join(room, 'secret'), 'secret');
      const look = start(
        `for f in '${room}/secret' /root /home /etc/shadow /etc/hostname /var/lib/apt '${process.cwd()}'; do [ -e "$f" ] && echo "sees $f"; done; ` +
          'ls /usr/local; id -u; cat /proc/sys/kernel/ns_last_pid; ps -e 2>/dev/null | grep -c node; ' +
          'touch /usr/x /x /dev/x /etc/x /proc/sys/kernel/hostname 2>/dev/null && echo wrote; ls /proc/1/cwd/ >/dev/null 2>&1; exit 0',
      );
      await look.ended;
      assert.doesNotMatch(look.log(), /sees|wrote/);
      assert.match(look.log(), /^65534$/m);
      assert.deepEqual(sandbox.taints, ['host-root']);
    });

    test('of the machine’s devices the granted ones are there, usable by the program, and no other', async (t) => {
      if (!sandbox.confines) return;
      const folder = join(room, 'dev');
      mkdirSync(folder);
      const make = (file: string, major: number, minor: number, mode: string): string => {
        const path = join(folder, file);
        execFileSync('mknod', ['-m', mode, path, 'c', String(major), String(minor)]);
        return path;
      };
      let devices: DeviceNode[];
      try {
        // Numbers of /dev/full and /dev/null, whose drivers are on every machine, and those of an NVIDIA device.
        const full = make('renderD128', 1, 7, '0660');
        execFileSync('chgrp', ['video', full]);
        readFileSync(make('null', 1, 3, '0666'));
        devices = [
          { source: make('nvidia0', 195, 0, '0666'), target: '/dev/nvidia0' },
          { source: make('nvidia-cap4', 1, 3, '0666'), target: '/dev/nvidia-caps/nvidia-cap4' },
          { source: full, target: '/dev/dri/renderD128' },
        ];
      } catch (error) {
        t.skip(`no device file can be made or opened here: ${(error as Error).message.trim()}`);
        return;
      }
      make('nvidia1', 195, 1, '0666');
      const look = [
        'stat -c "%n %F %t:%T" /dev/nvidia0',
        'echo x > /dev/nvidia-caps/nvidia-cap4 && echo wrote to cap4',
        'head -c 3 /dev/dri/renderD128 | wc -c',
        'ls /dev/nvidia1 /dev/dri/renderD129 /dev/kfd 2>/dev/null',
        'touch /dev/mine 2>/dev/null && echo wrote',
        'id -u; ls /dev | grep -c .',
      ].join('; ');
      const run = start(look, { devices });
      await run.ended;
      const said = run.log().trim().split('\n');
      assert.equal(said[0], '/dev/nvidia0 character special file c3:0');
      assert.equal(said[1], 'wrote to cap4');
      // 0660 of group video: the program has that group, and only for this.
      assert.equal(said[2], '3');
      assert.equal(said[3], '65534');
      const bare = start('ls /dev | grep -c .; id -G', {});
      await bare.ended;
      const [count, groups] = bare.log().trim().split('\n');
      assert.equal(Number(said[4]), Number(count) + 3);
      assert.ok(!groups!.split(' ').includes(String(statSync(devices[2]!.source).gid)));
      await assert.rejects(
        start('true', { devices: [{ source: '/etc/passwd', target: '/dev/nvidia0' }] }).ended,
        { code: 'device-fault' },
      );
    });

    test('read-only mounts stay as they are, hidden files are empty, paths are fixed', async () => {
      if (!sandbox.confines) return;
      const data = join(room, `${name}-data`);
      mkdirSync(data);
      writeFileSync(join(data, 'rows'), 'rows\n');
      const out = join(room, `${name}-fixed`);
      mkdirSync(out);
      const run = start(
        'pwd; cat /build/data/rows; echo x > /build/data/rows; rm -f /build/data/rows; wc -c < /usr/share/perl5/Dpkg.pm',
        {
          cwd: '/build/out',
          hidden: ['/usr/share/perl5/Dpkg.pm'],
          mounts: [
            { source: data, target: '/build/data', writable: false },
            { source: out, target: '/build/out', writable: true },
          ],
        },
      );
      await run.ended;
      assert.equal(readFileSync(join(data, 'rows'), 'utf8'), 'rows\n');
      assert.match(run.log(), /^\/build\/out\nrows\n/);
      if (existsSync('/usr/share/perl5/Dpkg.pm')) assert.match(run.log(), /^0$/m);
    });
  });
}

test('no bubblewrap is one clear problem that names the cure', async () => {
  await assert.rejects(openSandbox('bwrap', { bwrapPath: '/nonexistent/bwrap' }).check(), {
    code: 'sandbox-unavailable',
    hint: /apt-get install bubblewrap.*--no-sandbox/,
  });
  await assert.rejects(openSandbox('bwrap', { bwrapPath: '/bin/false' }).check(), {
    code: 'sandbox-unavailable',
  });
});
