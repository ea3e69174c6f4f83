/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// An error as a page, and the page of each problem type (its `type` URI leads here).
import { type Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';
import { renderPage } from './layout.tsx';

/** What a browser sees of an error. */
export const problemPage = (problem: Problem, requestId: string): string =>
  renderPage({
    title: problemTable[problem.code].title,
    children: (
      <>
        <p class="status">{problem.status}</p>
        <h1>{problemTable[problem.code].title}</h1>
        <p>{problem.detail}</p>
        {problem.hint && <p class="hint">{problem.hint}</p>}
        <p class="faint">
          <a href={`/problems/${problem.code}`}>{problem.code}</a> · request <code>{requestId}</code>
        </p>
      </>
    ),
  });

/** The page of one code. */
export const problemTypePage = (code: ProblemCode): string =>
  renderPage({
    title: problemTable[code].title,
    trail: [{ name: 'Problems', href: '/problems' }],
    children: (
      <>
        <h1>{problemTable[code].title}</h1>
        <dl class="facts">
          <dt>Code</dt>
          <dd>
            <code>{code}</code>
          </dd>
          <dt>HTTP status</dt>
          <dd>{problemTable[code].status}</dd>
          <dt>Exit code of retrain</dt>
          <dd>{problemTable[code].exit}</dd>
        </dl>
        <p>
          The answer's <code>detail</code> says what happened in this case, <code>hint</code> what to do about
          it.
        </p>
      </>
    ),
  });

/** All codes. */
export const problemsPage = (): string =>
  renderPage({
    title: 'Problems',
    children: (
      <>
        <h1>Problems</h1>
        <p>Every error that this farm tells has one of these codes.</p>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Code</th>
                <th scope="col">Meaning</th>
                <th scope="col">HTTP</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(problemTable).map(([code, { title, status }]) => (
                <tr>
                  <td>
                    <a href={`/problems/${code}`}>{code}</a>
                  </td>
                  <td>{title}</td>
                  <td>{status}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </>
    ),
  });
