// The kernels of one engine against the same code in double precision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@retraind/pipeline/tf';
import { type CaseValues, caseValues } from './case-values.ts';
import { tellDistance } from './distance.ts';
import { kernelCases } from './kernel-cases.ts';

const tolerance = 1e-5;

/** Registers the kernel tests of the engine that is open. */
export function testKernels(engine: string, expected: Record<string, CaseValues>): void {
  for (const kernel of kernelCases) {
    test(`${engine}: ${kernel.name}, value and gradients`, async () => {
      const want = expected[kernel.name]!;
      const got = await caseValues(tf, kernel);
      tellDistance('output', got.output, want.output, tolerance);
      for (const [i, gradient] of want.gradients.entries()) {
        tellDistance(`gradient of input ${i}`, got.gradients[i]!, gradient, tolerance);
      }
      assert.deepEqual(await caseValues(tf, kernel), got, 'the same again, bit for bit');
    });
  }
}
