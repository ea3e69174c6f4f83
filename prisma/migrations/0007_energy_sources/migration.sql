-- Energy may be sampled too: power drawn, integrated over time (packages/shared/src/gpu/device.ts).
ALTER TABLE "lease" DROP CONSTRAINT "lease_energy_known";
ALTER TABLE "lease" ADD CONSTRAINT "lease_energy_known" CHECK ("energy_source" IN ('counter', 'sampled', 'estimated'));
