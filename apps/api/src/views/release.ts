// Releases and bills as they are told.
import type * as releases from '@retraind/prisma/store/releases';
import type { RunDetail } from '@retraind/prisma/store/runs';
import { gramsCo2eOf } from '@retraind/shared/cost/energy';
import type { ReleaseSummary } from '@retraind/shared/wire/campaigns';
import type { Bill } from '@retraind/shared/wire/resources';

export const releaseSummary = (release: releases.Release): ReleaseSummary => ({
  releaseId: release.releaseId,
  suite: release.suite,
  state: release.state,
  reason: release.reason,
  startedBy: release.startedBy,
  startedAt: release.createdAt.toISOString(),
  stateAt: release.stateAt.toISOString(),
  href: `/api/v1/releases/${release.releaseId}`,
  pageHref: `/releases/${release.releaseId}`,
});

/** The sum of leases; those that are open have no bill yet. */
export const billOfLeases = (leases: readonly Lease[], gramsPerKwh: number | null): Bill => {
  const sumOf = (partOf: (lease: Lease) => number | null): number =>
    leases.reduce((sum, lease) => sum + (partOf(lease) ?? 0), 0);
  const spent = {
    gpuHours: sumOf(({ gpus, usedHours }) => (gpus > 0 ? usedHours : 0)),
    cpuHours: sumOf(({ gpus, usedHours }) => (gpus > 0 ? 0 : usedHours)),
    wattHours: sumOf(({ wattHours }) => wattHours),
    countedWattHours: sumOf(({ wattHours, energySource }) => (energySource === 'counter' ? wattHours : 0)),
  };
  return billView(spent, gramsPerKwh);
};

type Lease = Pick<RunDetail['leases'][number], 'gpus' | 'usedHours' | 'wattHours' | 'energySource'>;

export const billView = (spent: releases.Report['spent'], gramsPerKwh: number | null): Bill => ({
  gpuHours: spent.gpuHours,
  cpuHours: spent.cpuHours,
  kilowattHours: spent.wattHours / 1_000,
  countedKilowattHours: spent.countedWattHours / 1_000,
  gramsCo2e: gramsCo2eOf(spent.wattHours, gramsPerKwh),
});
