/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// "What do you know of this file?"
import type { ModelKnown } from '@retraind/shared/wire/resources';
import { renderPage } from './layout.tsx';
import { bytesFigure, RungBadge } from './words.tsx';

export const modelPage = (model: ModelKnown): string =>
  renderPage({
    title: `Model ${model.sha256.slice(0, 12)}`,
    trail: [{ name: 'Packages', href: '/' }],
    children: (
      <>
        <h1>What the farm knows of this file</h1>
        <p>
          <code class="whole">{model.sha256}</code>
        </p>
        <p>
          {model.weightsHref ? (
            <a href={model.weightsHref}>
              weights{model.bytes === null ? '' : `, ${bytesFigure(model.bytes)}`}
            </a>
          ) : (
            'The farm does not keep its bytes.'
          )}
        </p>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">As</th>
                <th scope="col">Model</th>
                <th scope="col">Package</th>
                <th scope="col">Run</th>
                <th scope="col">Verdict</th>
              </tr>
            </thead>
            <tbody>
              {model.seenAs.map((seen) => (
                <tr>
                  <td>{seen.role}</td>
                  <td>{seen.model}</td>
                  <td>
                    {seen.source} {seen.version}
                  </td>
                  <td>
                    <a href={`/runs/${seen.runId}`}>
                      <code>{seen.runId}</code>
                    </a>
                    {seen.seed !== null && <span class="faint"> seed {seen.seed}</span>}
                  </td>
                  <td>
                    {seen.rung ? <RungBadge rung={seen.rung} /> : '–'}
                    {seen.sentence && <div class="reason">{seen.sentence}</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </>
    ),
  });
