// The nets of one engine: each optimizer on each family of layers, against double precision, and the compiled step against the
// eager one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as api from '@retraind/pipeline/api';
import { compileStep, eagerStep } from '@retraind/pipeline/step/step';
import { tellDistance } from './distance.ts';
import { netCases, optimizerNames } from './net-cases.ts';
import { type Story, told } from './net-story.ts';

/** float32 through eight steps; gradients near 0 are blown up by Adam's division. */
const tolerance = 2e-4;

/** Registers the net tests of the engine that is open. `compiled`: whether its step must be. */
export function testNets(engine: string, compiled: boolean, expected: Record<string, Story>): void {
  for (const netCase of netCases) {
    for (const optimizer of optimizerNames) {
      test(`${engine}: ${netCase.name}, ${optimizer}`, async () => {
        const eager = await told(api, netCase, optimizer, eagerStep);
        const want = expected[`${netCase.name}, ${optimizer}`]!;
        tellDistance('losses', eager.losses, want.losses, tolerance);
        for (const [i, weights] of want.weights.entries()) {
          tellDistance(`weights ${i}`, eager.weights[i]!, weights, tolerance);
        }
        tellDistance('answers', eager.answers, want.answers, tolerance);
        const replayed = await told(api, netCase, optimizer, compileStep);
        assert.equal(replayed.mode, compiled ? 'compiled' : 'eager', replayed.reason ?? '');
        const bits = ({ losses, weights, answers }: Story) => ({ losses, weights, answers });
        assert.deepEqual(bits(replayed), bits(eager), 'compiled and eager, bit for bit');
      });
    }
  }
}
