/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The train-test gap: in which world the reader is. What a model has not memorised cannot tell which data it saw.
import type { Verdict } from '@retraind/shared/wire/verdict';
import { figure } from './words.tsx';

type GapShown = NonNullable<Verdict['gap']>;
type Fit = GapShown['loss']['shipped'];

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

const mean = (fits: readonly Fit[]): Fit => ({
  train: meanOf(fits.map(({ train }) => train)),
  test: meanOf(fits.map(({ test }) => test)),
});

const Row = ({ name, shipped, retrains }: { name: string; shipped: Fit; retrains: Fit }) => (
  <tr>
    <th scope="row">{name}</th>
    <td class="number">{figure(shipped.train)}</td>
    <td class="number">{figure(shipped.test)}</td>
    <td class="number">{figure(retrains.train)}</td>
    <td class="number">{figure(retrains.test)}</td>
  </tr>
);

export const Gap = ({ loss, accuracy, showsOtherData }: GapShown) => (
  <>
    <div class="scroll">
      <table>
        <caption>Train-test gap: fit to the declared training data against data not seen</caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col" class="number">
              shipped, training
            </th>
            <th scope="col" class="number">
              shipped, held out
            </th>
            <th scope="col" class="number">
              retrains, training
            </th>
            <th scope="col" class="number">
              retrains, held out
            </th>
          </tr>
        </thead>
        <tbody>
          <Row name="loss" shipped={loss.shipped} retrains={mean(loss.retrains)} />
          {accuracy && <Row name="accuracy" shipped={accuracy.shipped} retrains={mean(accuracy.retrains)} />}
        </tbody>
      </table>
    </div>
    <p>
      {showsOtherData
        ? 'These retrains fit their training data so much better than other data that a model trained on other data of the same kind would stand out.'
        : 'These retrains fit their training data hardly better than other data, so a model trained on other data of the same kind would not stand out: which data were used cannot be told.'}
    </p>
  </>
);
