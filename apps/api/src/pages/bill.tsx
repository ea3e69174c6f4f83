/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// What was spent, in words: hours, energy and where that is known from.
import { shortHours } from '@retraind/shared/policy/approval';
import type { Bill } from '@retraind/shared/wire/resources';

export const BillWords = ({ bill }: { bill: Bill }) => {
  const { gpuHours, cpuHours, kilowattHours, countedKilowattHours, gramsCo2e } = bill;
  if (gpuHours + cpuHours === 0) return <>nothing yet</>;
  const share =
    countedKilowattHours === 0
      ? 'sampled or estimated'
      : countedKilowattHours >= kilowattHours
        ? 'by the counters of the devices'
        : `${shortHours(countedKilowattHours)} of it by counters, the rest sampled or estimated`;
  return (
    <>
      {gpuHours > 0 && `${shortHours(gpuHours)} GPU-hours, `}
      {cpuHours > 0 && `${shortHours(cpuHours)} CPU-hours, `}
      {shortHours(kilowattHours)} kWh <span class="faint">({share})</span>
      {gramsCo2e !== null && `, ${shortHours(gramsCo2e / 1_000)} kg CO₂e`}
    </>
  );
};
