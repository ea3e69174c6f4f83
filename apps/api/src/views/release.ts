// Releases and bills as they are told.
import type * as releases from '@retraind/prisma/store/releases';
import { gramsCo2eOf } from '@retraind/shared/cost/energy';
import type { Bill, ReleaseSummary } from '@retraind/shared/wire/campaigns';

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

export const billView = (spent: releases.Report['spent'], gramsPerKwh: number | null): Bill => ({
  gpuHours: spent.gpuHours,
  cpuHours: spent.cpuHours,
  kilowattHours: spent.wattHours / 1_000,
  countedKilowattHours: spent.countedWattHours / 1_000,
  gramsCo2e: gramsCo2eOf(spent.wattHours, gramsPerKwh),
});
