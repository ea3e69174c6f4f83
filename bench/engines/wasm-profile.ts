// What each instruction of a recorded step costs on the wasm engine: the shortest of many runs, in microseconds.
// usage: taskset -c 1 node --import tsx bench/engines/wasm-profile.ts NET [RUNS]
import { openEngine } from '@retraind/pipeline/engine/engines';
import { Program } from '@retraind/pipeline/step/wasm/program';
import { netStep } from './net-step.ts';
import { netNamed } from './nets.ts';

const [net = 'mlp-256', runs = '100'] = process.argv.slice(2);
await openEngine('wasm');

let program: Program | undefined;
const { bind } = Program.prototype;
Program.prototype.bind = function (...args) {
  program = this;
  return bind.apply(this, args);
};
const { step, batch } = netStep(netNamed(net), 'compiled');
let shortest = Number.POSITIVE_INFINITY;
for (let i = 0; i < Number(runs); i++) {
  const from = performance.now();
  await step.train(batch(i));
  shortest = Math.min(shortest, performance.now() - from);
}
if (!program) throw new Error(`the step is not compiled: ${step.reason}`);

let sum = 0;
for (const { name, by, run } of program.instructions) {
  let least = Number.POSITIVE_INFINITY;
  // Run out of turn its values go astray, its time does not.
  for (let i = 0; i < Number(runs); i++) {
    const from = performance.now();
    run();
    least = Math.min(least, performance.now() - from);
  }
  sum += least;
  console.log(`${(least * 1000).toFixed(1).padStart(9)}  ${by.padEnd(6)}  ${name}`);
}
console.log(
  `${(sum * 1000).toFixed(1).padStart(9)}  all; a step takes ${(shortest * 1000).toFixed(1)}, arena ${program.arenaBytes} bytes`,
);
