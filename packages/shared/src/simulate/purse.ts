// The budgets of a simulated farm: what prisma/store/budgets and its trigger are to the farm. An open lease sets aside what it was
// expected to take; its end spends what it took, in hours of its devices or of its CPU slot.
import { nothingReserved, type Reservation, unitOf } from '../cost/reservation.ts';
import { requesterOf, suiteOf } from '../policy/payers.ts';
import type { Account, BilledUnit, Budget } from '../policy/world.ts';
import type { RunRow } from './rows.ts';

export interface SimulatedBudget {
  account: Account;
  unit: BilledUnit;
  limitHours: number;
  /** An admin renews it after so many days, again and again; null: never. */
  renewDays: number | null;
}

interface OpenLease {
  run: RunRow;
  leasedAt: number;
  reservation: Reservation;
}

const secondsPerHour = 3_600;

export class Purse {
  readonly #spentSeconds = new Map<SimulatedBudget, number>();
  readonly #open = new Map<string, OpenLease>();
  readonly budgets: readonly SimulatedBudget[];

  constructor(budgets: readonly SimulatedBudget[]) {
    this.budgets = budgets;
  }

  open(run: RunRow, leasedAt: number, reservation = nothingReserved): void {
    if (this.budgets.length > 0) this.#open.set(run.world.runId, { run, leasedAt, reservation });
  }

  close(run: RunRow, now: number): void {
    const lease = this.#open.get(run.world.runId);
    if (lease === undefined) return;
    this.#open.delete(run.world.runId);
    for (const budget of this.#payersOf(lease)) {
      this.#spentSeconds.set(budget, this.spentSeconds(budget) + usedSeconds(lease, now));
    }
  }

  /** A new period begins: what was spent is forgotten, what is set aside is not. */
  renew(budget: SimulatedBudget): void {
    this.#spentSeconds.delete(budget);
  }

  spentSeconds(budget: SimulatedBudget): number {
    return this.#spentSeconds.get(budget) ?? 0;
  }

  /** As the decision weighs them. */
  list(): Budget[] {
    const reserved = new Map<SimulatedBudget, number>();
    for (const lease of this.#open.values()) {
      const seconds = lease.reservation.hours * secondsPerHour;
      for (const budget of this.#payersOf(lease)) reserved.set(budget, (reserved.get(budget) ?? 0) + seconds);
    }
    return this.budgets.map((budget) => ({
      ...{ account: budget.account, unit: budget.unit, limitSeconds: budget.limitHours * secondsPerHour },
      ...{ spentSeconds: this.spentSeconds(budget), reservedSeconds: reserved.get(budget) ?? 0 },
    }));
  }

  /** Runs that have used more than was set aside for them, of a budget that has no more. */
  overrunning(now: number): RunRow[] {
    const over = new Set<RunRow>();
    for (const budget of this.budgets) {
      const leases = [...this.#open.values()].filter((lease) => this.#payersOf(lease).includes(budget));
      const asideSeconds = ({ reservation }: OpenLease) => reservation.hours * secondsPerHour;
      const wanted = leases.reduce(
        (sum, lease) => sum + Math.max(asideSeconds(lease), usedSeconds(lease, now)),
        0,
      );
      if (wanted <= budget.limitHours * secondsPerHour - this.spentSeconds(budget)) continue;
      for (const lease of leases) if (usedSeconds(lease, now) > asideSeconds(lease)) over.add(lease.run);
    }
    return [...over];
  }

  #payersOf({ run, reservation }: OpenLease): SimulatedBudget[] {
    const { world } = run.job;
    const accounts: Account[] = [requesterOf(world), suiteOf(world)];
    const unit = unitOf(reservation.gpus);
    return this.budgets.filter((budget) => budget.unit === unit && accounts.includes(budget.account));
  }
}

const usedSeconds = ({ leasedAt, reservation }: OpenLease, now: number): number =>
  ((now - leasedAt) / 1_000) * Math.max(1, reservation.gpus);
