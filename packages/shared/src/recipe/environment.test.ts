import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedEnvironment, runEnvironment } from './environment.ts';

const places = {
  data: '/build/data',
  out: '/build/out',
  home: '/build/home',
  metricsFile: '/build/metrics/metrics.jsonl',
  checkpoint: '/build/checkpoint',
  path: '/usr/bin:/bin',
  tfjsNode: null,
};
const values = {
  seed: 7,
  numerics: 0,
  accelerator: 'none',
  deviceVariables: { CUDA_VISIBLE_DEVICES: '', ROCR_VISIBLE_DEVICES: '' },
  sourceDateEpoch: 1_700_000_000,
  parallel: 2,
};

test('the environment is the one of the contract', () => {
  assert.deepEqual(runEnvironment(places, values), {
    PATH: '/usr/bin:/bin',
    HOME: '/build/home',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: '1700000000',
    DEB_BUILD_OPTIONS: 'parallel=2',
    RETRAIN_DATA: '/build/data',
    RETRAIN_OUT: '/build/out',
    RETRAIN_SEED: '7',
    RETRAIN_NUMERICS: '0',
    RETRAIN_METRICS: '/build/metrics/metrics.jsonl',
    RETRAIN_CHECKPOINT: '/build/checkpoint',
    RETRAIN_ACCELERATOR: 'none',
    CUDA_VISIBLE_DEVICES: '',
    ROCR_VISIBLE_DEVICES: '',
  });
});

test('TensorFlow for retrain-tfjs is named where the node has it, and the record says so', () => {
  const given = runEnvironment({ ...places, tfjsNode: '/opt/retrain/tfjs-node' }, values);
  assert.equal(given.RETRAIN_TFJS_NODE, '/opt/retrain/tfjs-node');
  assert.equal(recordedEnvironment(given).RETRAIN_TFJS_NODE, '/opt/retrain/tfjs-node');
});

test('a record shows no variable but those of the list', () => {
  const shown = recordedEnvironment({
    ...runEnvironment(places, values),
    RETRAIND_ADMIN_TOKEN: 'secret',
    SSH_AUTH_SOCK: '/tmp/x',
  });
  assert.deepEqual(shown, {
    CUDA_VISIBLE_DEVICES: '',
    DEB_BUILD_OPTIONS: 'parallel=2',
    LC_ALL: 'C.UTF-8',
    RETRAIN_ACCELERATOR: 'none',
    RETRAIN_NUMERICS: '0',
    RETRAIN_SEED: '7',
    ROCR_VISIBLE_DEVICES: '',
    SOURCE_DATE_EPOCH: '1700000000',
    TZ: 'UTC',
  });
});
