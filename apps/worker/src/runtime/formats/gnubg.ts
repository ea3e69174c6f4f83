// The nets of GNU Backgammon: its file of weights as text (version 1.00) and as the binary gnubg.wd that makeweights writes of it.
// Both hold six nets of one hidden layer each; how often a net was trained is metadata, the two slopes of its sigmoids are weights.
// Source: eval.c and neuralnet.c of gnubg 1.07, as to the order of fields.
import { gnubgNets } from '@retraind/shared/recipe/recipe';
import { ModelFault } from './model-fault.ts';
import type { Chain, ModelFile, TensorInfo } from './model-file.ts';
import { byName } from './model-file.ts';
import type { Piece } from './pieces.ts';

/** Each side of a net; gnubg's largest has 250. */
const maxUnits = 65_536;
/** Weights of all nets together: 256 MiB. gnubg has 101,966. */
const maxWeights = 2 ** 26;

export const versionCure = 'gnubg reads version 1.00: write the nets in that form';

export interface NetHeader {
  inputs: number;
  hidden: number;
  outputs: number;
}

/** Lengths of the arrays of a net in the order of the file. Throws ModelFault where a size is none. */
export const arraysOf = (net: string, { inputs, hidden, outputs }: NetHeader) => {
  for (const [what, size] of Object.entries({ inputs, hidden, outputs })) {
    if (!(Number.isInteger(size) && size >= 1 && size <= maxUnits)) {
      throw new ModelFault(`net ${net} says ${size} ${what}; 1 to ${maxUnits} are read`);
    }
  }
  if (inputs * hidden + outputs * hidden > maxWeights) {
    throw new ModelFault(
      `net ${net} has ${inputs}x${hidden}x${outputs} units: more than ${maxWeights} weights`,
    );
  }
  return [
    { name: `${net}/hidden/weights`, shape: [inputs, hidden] },
    { name: `${net}/output/weights`, shape: [outputs, hidden] },
    { name: `${net}/hidden/thresholds`, shape: [hidden] },
    { name: `${net}/output/thresholds`, shape: [outputs] },
  ];
};

export const betaName = (net: string): string => `${net}/beta`;

/** Hidden units of each net: a column of both weight matrices and a threshold. */
const chainOf = (net: string, width: number): Chain => [
  {
    width,
    uses: [
      { tensor: `${net}/hidden/weights`, axis: 1 },
      { tensor: `${net}/output/weights`, axis: 1 },
      { tensor: `${net}/hidden/thresholds`, axis: 0 },
    ],
  },
];

export interface NetTensor {
  name: string;
  shape: number[];
  piece: Piece;
}

/** A model file of float32 tensors. Throws ModelFault where they are not the six nets' in whole. */
export const gnubgFile = (format: string, path: string, found: NetTensor[], close: () => void): ModelFile => {
  const sorted = found.sort(byName);
  const tensors = sorted.map(
    ({ name, shape, piece }): TensorInfo => ({ name, dtype: 'F32', shape, bytes: piece.bytes }),
  );
  return {
    format,
    path,
    tensors,
    structureSha256: null,
    quantised: false,
    chains: gnubgNets.map((net) =>
      chainOf(net, tensors.find(({ name }) => name === `${net}/hidden/thresholds`)!.shape[0]!),
    ),
    read: (index, position, into) => sorted[index]!.piece.read(position, into),
    close,
  };
};
