import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energyOf, type Sample } from './energy.ts';

const at = (
  atSeconds: number,
  ...devices: [powerWatts: number | null, powerLimitWatts: number | null, energyWattHours: number | null][]
): Sample => ({
  atSeconds,
  readings: devices.map(([powerWatts, powerLimitWatts, energyWattHours]) => ({
    powerWatts,
    powerLimitWatts,
    energyWattHours,
  })),
});

test('a counter goes before samples, and one that went back before nothing', () => {
  assert.deepEqual(energyOf([at(0, [100, 300, 5]), at(3_600, [100, 300, 7.5])]), {
    value: 2.5,
    source: 'counter',
  });
  assert.deepEqual(energyOf([at(0, [100, 300, 5]), at(3_600, [100, 300, 0])]), {
    value: 100,
    source: 'sampled',
  });
});

test('power at moments is integrated by trapezoids', () => {
  assert.deepEqual(
    energyOf([at(0, [0, null, null]), at(1_800, [200, null, null]), at(3_600, [200, null, null])]),
    { value: 150, source: 'sampled' },
  );
});

test('without power, its limit for all the time; without that, nothing', () => {
  assert.deepEqual(energyOf([at(0, [null, 300, null]), at(1_800, [50, 300, null])]), {
    value: 150,
    source: 'estimated',
  });
  assert.equal(energyOf([at(0, [null, null, null]), at(1_800, [50, null, null])]), null);
  assert.equal(energyOf([at(0, [1, 1, 1])]), null);
  assert.equal(energyOf([at(0), at(1)]), null);
});

test('several devices add up, and are as sure as the least of them', () => {
  assert.deepEqual(
    energyOf([at(0, [100, 300, 1], [60, 70, null]), at(3_600, [100, 300, 2], [60, 70, null])]),
    { value: 61, source: 'sampled' },
  );
});
