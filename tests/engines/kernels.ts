// The kernels of one engine against the same code in double precision.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@retraind/pipeline/tf';
import { type CaseValues, caseValues } from './case-values.ts';
import { kernelCases } from './kernel-cases.ts';

/** Values in double precision, from a process of their own: they need another Float32Array under tfjs. */
async function reference(): Promise<Record<string, CaseValues>> {
  const program = fileURLToPath(new URL('./float64.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout.slice(stdout.indexOf('{"')));
}

/** Largest |a - b|, in units of the largest |b| (at least 1): float32 sums of some dozen terms stay below 1e-5. */
const distance = (actual: number[], expected: number[]): number => {
  assert.equal(actual.length, expected.length);
  const size = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!) / size), 0);
};

const tolerance = 1e-5;

/** Registers the kernel tests of the engine that is open. */
export async function testKernels(engine: string): Promise<void> {
  const expected = await reference();
  for (const kernel of kernelCases) {
    test(`${engine}: ${kernel.name}, value and gradients`, async () => {
      const want = expected[kernel.name]!;
      const got = await caseValues(tf, kernel);
      assert.ok(distance(got.output, want.output) < tolerance, `output: ${got.output}, not ${want.output}`);
      for (const [i, gradient] of want.gradients.entries()) {
        const far = distance(got.gradients[i]!, gradient);
        assert.ok(far < tolerance, `gradient of input ${i} is off by ${far}`);
      }
      assert.deepEqual(await caseValues(tf, kernel), got, 'the same again, bit for bit');
    });
  }
}
