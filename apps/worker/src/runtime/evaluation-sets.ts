// The sets on which a model is asked, one after the other: held-out data, a sample of the declared training data, and probes off the
// data that follow from the job's seed. All are the same for every file of a job.
import type { DataFile } from '@retraind/shared/recipe/recipe';
import type { EvidenceSet } from '@retraind/shared/verdict/evidence';
import { mixProbes, noiseProbes, patchProbes, trainingSample } from '@retraind/shared/verdict/probes';
import type { FloatsShape, LabelledData, StatisticalRequest } from './evaluation.ts';
import { ModelFault } from './formats/model-fault.ts';
import type { Outputs } from './predict.ts';
import {
  chosenRecords,
  gatherRows,
  type HeldRecords,
  heldRecords,
  holdRecords,
  openRecords,
  type Records,
} from './records.ts';
import type { TaskMeasure } from './tasks.ts';

type Floats = FloatsShape & { values: Float32Array };

export interface EvaluationSet {
  set: EvidenceSet;
  records: Records;
  /** Reads the true answers of its records, checked against what the model gives; null: they have none. Throws ModelFault. */
  readTargets: ((outputs: Outputs, measure: TaskMeasure) => Promise<Floats>) | null;
}

const probeMakers = { noise: noiseProbes, patch: patchProbes, mix: mixProbes } as const;

/** Float32 holds whole numbers to here. */
const maxSlice = 2 ** 24;

const readTargets =
  (file: DataFile, wholeRows: number, rows: Int32Array): EvaluationSet['readTargets'] =>
  async (outputs, measure) => {
    const open = await openRecords(file);
    try {
      const { path, columns } = open;
      if (open.rows !== wholeRows)
        throw new ModelFault(`${path} has ${open.rows} answers for ${wholeRows} records`);
      const wanted = measure.targetColumns(outputs);
      if (columns !== wanted) {
        const cure = 'name the file of targets that the model was trained for';
        throw new ModelFault(`${path} has ${columns} numbers an answer, the model needs ${wanted}`, cure);
      }
      const values = await gatherRows(open, rows);
      values.forEach((value, i) => {
        const fault = measure.targetFault(value, outputs);
        if (fault === null) return;
        throw new ModelFault(
          `${path}: the answer of record ${rows[Math.floor(i / columns)]} is ${value}; ${fault}`,
        );
      });
      return { rows: rows.length, columns, values };
    } finally {
      open.close();
    }
  };

const allRows = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, row) => row);

const holdAll = async (file: DataFile): Promise<HeldRecords> => {
  const open = await openRecords(file);
  try {
    return await holdRecords(open);
  } finally {
    open.close();
  }
};

/** A sample of the training data; its inputs are open until the next set is asked for. */
async function* trainSet(
  { inputs, targets }: LabelledData,
  jobSeed: string,
  shape: readonly number[],
): AsyncGenerator<EvaluationSet> {
  const open = await openRecords(inputs);
  try {
    if (open.shape.join() !== shape.join()) {
      throw new ModelFault(
        `training records have the shape ${open.shape.join('x')}, held-out ones ${shape.join('x')}`,
        'say one `shape` for both in debian/retrain/control',
      );
    }
    const rows = trainingSample(jobSeed, open.rows);
    yield {
      set: 'train',
      records: chosenRecords(open, rows),
      readTargets: readTargets(targets, open.rows, rows),
    };
  } finally {
    open.close();
  }
}

/** The sets in the order in which they are asked; test comes first. Throws ModelFault for data that cannot be read. */
export async function* evaluationSets(request: StatisticalRequest): AsyncGenerator<EvaluationSet> {
  const { jobSeed, test, train } = request;
  const held = await holdAll(test.inputs);
  yield { set: 'test', records: held, readTargets: readTargets(test.targets, held.rows, allRows(held.rows)) };
  if (train !== null) yield* trainSet(train, jobSeed, held.shape);
  for (const set of ['noise', 'patch', 'mix'] as const) {
    const { values } = probeMakers[set]({ jobSeed, recordShape: held.shape, records: held.values });
    yield { set, records: heldRecords(held.shape, values), readTargets: null };
  }
}

/** The slice of each of `rows` held-out records. Throws ModelFault. */
export const readSlices = async (file: DataFile, rows: number): Promise<Floats> => {
  const open = await openRecords(file);
  try {
    if (open.rows !== rows || open.columns !== 1) {
      throw new ModelFault(`${open.path} has ${open.rows} x ${open.columns} slices for ${rows} records`);
    }
    const values = await gatherRows(open, allRows(rows));
    const wrong = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= maxSlice));
    if (wrong >= 0) {
      throw new ModelFault(
        `${open.path}: the slice of record ${wrong} is ${values[wrong]}, no whole number from 0 to ${maxSlice}`,
      );
    }
    return { rows, columns: 1, values };
  } finally {
    open.close();
  }
};
