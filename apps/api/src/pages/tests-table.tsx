/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The battery by what it looks at, its confirmation by fresh retrains, and the bounds that equivalence needs.
import { type TestGroup, testGroups, testWords } from '@retraind/shared/verdict/glossary';
import { cellWords } from '@retraind/shared/verdict/sentence';
import type { Verdict } from '@retraind/shared/wire/verdict';
import { figure, pFigure } from './words.tsx';

type Test = Verdict['tests'][number];

/** Null for a test of another version of the farm, whose verdicts are kept. */
const groupOf = ({ id }: Test): TestGroup | null =>
  (testWords as Partial<typeof testWords>)[id]?.group ?? null;

/** Tests of one table under the headings of their groups. */
export const Tests = ({ tests, caption }: { tests: Test[]; caption: string }) => (
  <div class="scroll">
    <table class="tests">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Test</th>
          <th scope="col">Null hypothesis</th>
          <th scope="col" class="number">
            t
          </th>
          <th scope="col" class="number">
            df
          </th>
          <th scope="col" class="number">
            p
          </th>
          <th scope="col" class="number">
            rank p
          </th>
        </tr>
      </thead>
      {(Object.keys(testGroups) as TestGroup[]).map((group) => (
        <Group name={testGroups[group]} tests={tests.filter((test) => groupOf(test) === group)} />
      ))}
      <Group name="Other tests" tests={tests.filter((test) => groupOf(test) === null)} />
    </table>
  </div>
);

const Group = ({ name, tests }: { name: string; tests: Test[] }) =>
  tests.length === 0 ? null : (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={6}>
          {name}
        </th>
      </tr>
      {tests.map((test) => (
        <tr>
          <th scope="row">
            {test.name}
            {cellWords(test, ', most in ')}
          </th>
          <td>{test.nullHypothesis}</td>
          <td class="number">{figure(test.statistic, 3)}</td>
          <td class="number">{figure(test.degreesOfFreedom, 3)}</td>
          <td class="number">{pFigure(test.p)}</td>
          <td class="number">{test.rankP.toFixed(3)}</td>
        </tr>
      ))}
    </tbody>
  );

/** A difference by statistics alone counts only where fresh retrains show it again. */
export const Confirmation = ({
  seeds,
  tests,
  familyP,
  alpha,
  confirmed,
}: NonNullable<Verdict['confirmation']>) => (
  <>
    <p>
      {confirmed === null
        ? 'The tests differ; before that is announced, fresh retrains with new seeds are held against the shipped file.'
        : `${confirmed ? 'Confirmed' : 'Not confirmed'} by ${seeds.length} fresh retrains with new seeds (${seeds.join(', ')}): p = ${familyP === null ? 'not computed' : pFigure(familyP)}, held against ${figure(alpha)}.`}
    </p>
    {tests.length > 0 && (
      <details>
        <summary>The battery on the fresh retrains</summary>
        <Tests tests={tests} caption="The same tests, on the fresh retrains alone" />
      </details>
    )}
  </>
);

export const Bounds = ({ bounds }: { bounds: Verdict['bounds'] }) => (
  <div class="scroll">
    <table>
      <caption>Bounds that equivalence needs</caption>
      <thead>
        <tr>
          <th scope="col">Bound</th>
          <th scope="col" class="number">
            upper
          </th>
          <th scope="col" class="number">
            limit
          </th>
          <th scope="col">holds</th>
        </tr>
      </thead>
      <tbody>
        {bounds.map((bound) => (
          <tr>
            <th scope="row">{bound.name}</th>
            <td class="number">{figure(bound.upper)}</td>
            <td class="number">{figure(bound.limit)}</td>
            <td>{bound.holds ? '✓ yes' : '✕ no'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
