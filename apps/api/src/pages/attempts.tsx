// What was tried without a result: every such lease with whose fault it was, and why.
import type { Attempt } from '@retraind/shared/wire/resources';

export const Attempts = ({ attempts }: { attempts: readonly Attempt[] }) =>
  attempts.length === 0 ? null : (
    <>
      <h2>Attempts without a result</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Ended</th>
              <th scope="col">Run, lease</th>
              <th scope="col">Node</th>
              <th scope="col">Outcome</th>
              <th scope="col">Blame</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((attempt) => (
              <tr>
                <td>
                  <time datetime={attempt.endedAt}>{attempt.endedAt.slice(0, 19).replace('T', ' ')}</time>
                </td>
                <td>
                  <a href={`/runs/${attempt.runId}`}>{attempt.runId}</a>, {attempt.leaseEpoch}
                </td>
                <td>{attempt.nodeName}</td>
                <td>{attempt.outcome}</td>
                <td>{attempt.blame ?? 'nobody'}</td>
                <td>
                  {attempt.step && `${attempt.step}: `}
                  {attempt.detail} ({attempt.code}){attempt.hint && <p class="hint">{attempt.hint}</p>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
