/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The ledger of the infeasible.
import { reasonWords } from '@retraind/shared/ledger/entry';
import { shortHours } from '@retraind/shared/policy/approval';
import type { LedgerEntry } from '@retraind/shared/wire/campaigns';
import { renderPage } from './layout.tsx';

const Standing = ({ entry }: { entry: LedgerEntry }) => (
  <>
    {entry.inForce
      ? `until ${entry.expiresAt.slice(0, 10)}`
      : entry.removedAt === null
        ? `expired ${entry.expiresAt.slice(0, 10)}`
        : `removed by ${entry.removedBy}: ${entry.removedReason}`}
    <div class="faint">
      reviewed by {entry.reviewer}, {entry.reviewedAt.slice(0, 10)}
    </div>
  </>
);

const Estimate = ({ estimate }: { estimate: LedgerEntry['estimate'] }) =>
  estimate === null ? (
    <span class="faint">unknown</span>
  ) : (
    <>
      {shortHours(estimate.gpuHours)} GPU-hours ({estimate.gpuHoursRange.map(shortHours).join(' to ')}) of a{' '}
      {estimate.device}, {shortHours(estimate.kilowattHours)} kWh a training
      <div class="faint">
        6·N·D operations, N = {estimate.parameters.toPrecision(3)}, D = {estimate.tokens.toPrecision(3)}.{' '}
        {estimate.basis}.
      </div>
    </>
  );

export const ledgerPage = (entries: LedgerEntry[]): string =>
  renderPage({
    title: 'Ledger',
    children: (
      <>
        <h1>Models that cannot be retrained</h1>
        <p>
          An entry speaks until it expires or somebody removes it. A job for its package is not run meanwhile.
        </p>
        {entries.length === 0 ? (
          <p class="faint">The ledger is empty.</p>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Package</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Estimate</th>
                  <th scope="col">Standing</th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => (
                  <tr>
                    <td>
                      {entry.source}
                      {entry.model !== null && <div class="faint">{entry.model}</div>}
                    </td>
                    <td>
                      {reasonWords[entry.reason]}
                      <div class="reason">{entry.detail}</div>
                      {entry.evidence.map((address) => (
                        <div>
                          <a href={address} rel="nofollow noreferrer">
                            {address}
                          </a>
                        </div>
                      ))}
                    </td>
                    <td>
                      <Estimate estimate={entry.estimate} />
                    </td>
                    <td>
                      <Standing entry={entry} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </>
    ),
  });
