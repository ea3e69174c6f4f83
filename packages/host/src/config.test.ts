import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import {
  choiceOption,
  listenOption,
  numberOption,
  readConfig,
  requiredText,
  textOption,
  urlOption,
} from './config.ts';

const options = {
  listen: listenOption('RETRAIND_LISTEN', { help: 'where', fallback: '127.0.0.1:8480' }),
  leaseSeconds: numberOption(
    'RETRAIND_LEASE_SECONDS',
    { least: 1, most: 3600 },
    { help: 'lease', fallback: '20' },
  ),
  sandbox: choiceOption('RETRAIND_SANDBOX', ['bwrap', 'none'], { help: 'sandbox', fallback: 'bwrap' }),
  databaseUrl: urlOption('DATABASE_URL', ['postgres', 'postgresql'], {
    help: 'database',
    secret: true,
    required: true,
  }),
  token: textOption('RETRAIND_TOKEN', { help: 'token', secret: true }),
  artifacts: requiredText('RETRAIND_ARTIFACTS', { help: 'folder' }),
};

test('defaults, values and absent options', () => {
  const config = readConfig('api', options, {
    DATABASE_URL: 'postgres://u:p@h/d',
    RETRAIND_ARTIFACTS: '/a',
    RETRAIND_LISTEN: '[::1]:0',
    OTHER: 'x',
  });
  assert.deepEqual(config.listen, { host: '::1', port: 0 });
  assert.equal(config.leaseSeconds, 20);
  assert.equal(config.token, undefined);
});

test('all faults are told together, and no secret is printed', () => {
  const environment = {
    DATABASE_URL: 'mysql://root:hunter2@h/d',
    RETRAIND_LISTEN: 'nowhere',
    RETRAIND_LEASE_SECONDS: '-3',
    RETRAIND_SANDBOX: 'docker',
    RETRAIND_LISTENN: '1',
  };
  assert.throws(
    () => readConfig('api', options, environment),
    (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, 'invalid-config');
      for (const name of [
        'DATABASE_URL',
        'RETRAIND_LISTEN ',
        'RETRAIND_LEASE_SECONDS',
        'RETRAIND_SANDBOX',
        'RETRAIND_ARTIFACTS',
        'RETRAIND_LISTENN',
      ]) {
        assert.match(error.detail, new RegExp(name));
      }
      assert.doesNotMatch(error.detail, /hunter2/);
      return true;
    },
  );
});

test('a secret comes from a file, and a missing file is a fault', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'retraind-config-')), 'url');
  writeFileSync(file, 'postgres://u@h/d\n');
  const base = { RETRAIND_ARTIFACTS: '/a' };
  assert.equal(
    readConfig('api', options, { ...base, DATABASE_URL_FILE: file }).databaseUrl,
    'postgres://u@h/d',
  );
  assert.throws(
    () => readConfig('api', options, { ...base, DATABASE_URL_FILE: `${file}x` }),
    /DATABASE_URL_FILE/,
  );
});
