// What an operator watches: counts of the world at the last tick, and what the scheduler did. Names follow Prometheus' own
// rules (base unit at the end, `_total` for counters).
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    leading: new Gauge({
      name: 'retraind_scheduler_leading',
      help: '1 on the scheduler that is active, 0 on a standby',
      registers,
    }),
    tickSeconds: new Histogram({
      name: 'retraind_scheduler_tick_seconds',
      help: 'Duration of one look at the world',
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    openJobs: new Gauge({
      name: 'retraind_jobs_open',
      help: 'Jobs that still ask something of the farm, by state',
      labelNames: ['state'] as const,
      registers,
    }),
    runs: new Gauge({
      name: 'retraind_runs_live',
      help: 'Runs that wait for a slot or hold one, by state',
      labelNames: ['state'] as const,
      registers,
    }),
    deeds: new Counter({
      name: 'retraind_scheduler_deeds_total',
      help: 'What the scheduler did, by deed',
      labelNames: ['deed'] as const,
      registers,
    }),
    troubles: new Counter({
      name: 'retraind_scheduler_troubles_total',
      help: 'Failures that the scheduler lived through, by place',
      labelNames: ['place'] as const,
      registers,
    }),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
