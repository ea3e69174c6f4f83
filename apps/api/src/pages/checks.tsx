// Which of a job's runs the farm makes to hold its nodes against each other, why, and what came of it.
import type { NodeCheck } from '@retraind/shared/wire/node-check';

export const Checks = ({ checks }: { checks: readonly NodeCheck[] }) =>
  checks.length === 0 ? null : (
    <>
      <h2>Checks of nodes</h2>
      <p class="faint">
        Seeds that another node of the class trains again, at the farm’s own cost. No verdict rests on them,
        and none waits for them.
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Why</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {checks.map((check) => (
              <tr>
                <td>
                  <a href={`/runs/${check.runId}`}>{check.runId}</a>
                </td>
                <td>{check.reason}</td>
                <td>
                  {check.outcome ?? 'to come'}
                  {check.contradicts.length > 0 && `; two others contradict ${check.contradicts.join(', ')}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
