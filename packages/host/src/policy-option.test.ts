import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultPolicy } from '@retraind/shared/policy/world';
import { readConfig } from './config.ts';
import { policyOption } from './policy-option.ts';

const file = join(mkdtempSync(join(tmpdir(), 'policy-')), 'policy.json');
const read = (environment: Record<string, string>) =>
  readConfig('scheduler', { policy: policyOption() }, environment).policy;

test('the policy of a farm is read from its file', () => {
  writeFileSync(file, '{"backfill": false}');
  assert.deepEqual(read({ RETRAIND_POLICY: file }), { ...defaultPolicy, backfill: false });
  assert.equal(read({}), undefined);
});

test('a policy that is not there, or has a fault, is a fault of the configuration', () => {
  assert.throws(() => read({ RETRAIND_POLICY: '/no/such/file' }), /RETRAIND_POLICY .*no such file/);
  writeFileSync(file, '{"backfil": false}');
  assert.throws(() => read({ RETRAIND_POLICY: file }), /RETRAIND_POLICY .*\/backfil is not known/);
});
