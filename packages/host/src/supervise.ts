// Keeps child programs alive: a dead one is started again with backoff, all are stopped in order, and none outlives us:
// setpriv (util-linux, essential in Debian) asks the kernel to end the child when its parent ends, even by kill -9.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ProgramSpec {
  name: string;
  argv: [string, ...string[]];
  /** The whole environment of the child. */
  env: Record<string, string>;
  cwd: string;
  /** The line that says the program is ready; without it a started process counts as ready. */
  readyWhen?: (line: string) => boolean;
  /** What asks it to stop; SIGTERM unless it has another word for that. */
  stopSignal?: NodeJS.Signals;
}

export interface SupervisorEvents {
  /** A line of stdout or stderr of a child. */
  line(program: string, line: string): void;
  /** A child that nobody stopped has ended; it is started again after the pause. */
  died(program: string, how: string, restartInMilliseconds: number): void;
}

const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 30_000;
/** A child that lived this long starts its backoff anew. */
const steadyMilliseconds = 30_000;
const stopGraceMilliseconds = 15_000;

class Program {
  readonly #spec: ProgramSpec;
  readonly #events: SupervisorEvents;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pause = firstPauseMilliseconds;
  #stopping = false;
  #exited: Promise<void> = Promise.resolve();

  constructor(spec: ProgramSpec, events: SupervisorEvents) {
    this.#spec = spec;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the child; resolves when it says that it is ready, rejects when it ends before that for the first time. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#launch(resolve, reject));
  }

  #launch(ready: () => void, failed: (error: Error) => void): void {
    const startedAt = performance.now();
    const { argv, env, cwd, readyWhen } = this.#spec;
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let isReady = false;
    const becomeReady = () => {
      isReady = true;
      ready();
    };
    const lastLines: string[] = [];
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > 20) lastLines.shift();
        this.#events.line(this.#spec.name, line);
        if (!isReady && readyWhen?.(line)) becomeReady();
      });
    }
    child.on('spawn', () => {
      if (!readyWhen) becomeReady();
    });
    let settle = () => {};
    this.#exited = new Promise((resolve) => {
      settle = resolve;
    });
    child.on('error', (error) => {
      settle();
      failed(error);
    });
    child.on('close', (code, signal) => {
      this.#child = null;
      settle();
      if (this.#stopping) return;
      const how = signal ? `signal ${signal}` : `exit status ${code}`;
      if (!isReady)
        return failed(
          new Error(`${this.#spec.name} ended with ${how} before it was ready:\n${lastLines.join('\n')}`),
        );
      if (performance.now() - startedAt > steadyMilliseconds) this.#pause = firstPauseMilliseconds;
      this.#events.died(this.#spec.name, how, this.#pause);
      this.#restartAfterPause();
    });
  }

  #restartAfterPause(): void {
    const again = (): void => {
      this.#launch(
        () => undefined,
        (error) => {
          if (this.#stopping) return;
          this.#events.died(this.#spec.name, error.message, this.#pause);
          this.#restartAfterPause();
        },
      );
    };
    this.#timer = setTimeout(again, this.#pause);
    this.#pause = Math.min(this.#pause * 2, longestPauseMilliseconds);
  }

  /** Asks politely, then ends with SIGKILL. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#child;
    if (!child) return;
    child.kill(this.#spec.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMilliseconds);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** A set of programs that live and end together. */
export class Supervisor {
  readonly #events: SupervisorEvents;
  readonly #programs = new Map<string, Program>();

  constructor(events: SupervisorEvents) {
    this.#events = events;
  }

  /** Starts a program and resolves when it is ready. */
  async start(spec: ProgramSpec): Promise<void> {
    const program = new Program(spec, this.#events);
    this.#programs.set(spec.name, program);
    await program.start();
  }

  /** Process id of a program at this moment; undefined while it is down. */
  pidOf(name: string): number | undefined {
    return this.#programs.get(name)?.pid;
  }

  /** Stops all, the last started first. */
  async stop(): Promise<void> {
    for (const program of [...this.#programs.values()].reverse()) await program.stop();
    this.#programs.clear();
  }
}
