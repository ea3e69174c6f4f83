// ONNX files read by position: the tensors are stepped over when the file is opened. How a whole graph is judged: onnx/model.ts.
import { ExternalData } from './external-data.ts';
import { FileBytes } from './file-bytes.ts';
import { byName, type ModelFile, type ModelFormat } from './model-file.ts';
import { denseChains } from './onnx-chains.ts';
import { readPlacedGraph } from './onnx-graph.ts';
import { hasQuantisedWeights } from './quantised.ts';

const open = (path: string): ModelFile => {
  const file = new FileBytes(path);
  const external = new ExternalData(path);
  const close = (): void => {
    file.close();
    external.close();
  };
  try {
    const graph = readPlacedGraph(file, external);
    external.refuseOverlaps();
    const tensors = graph.tensors.sort(byName);
    return {
      format: onnx.name,
      path,
      tensors: tensors.map(({ name, dtype, shape, piece }) => ({ name, dtype, shape, bytes: piece.bytes })),
      structureSha256: graph.structureSha256,
      quantised: hasQuantisedWeights(graph),
      chains: denseChains(graph),
      read: (index, position, into) => tensors[index]!.piece.read(position, into),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
};

export const onnx: ModelFormat = { name: 'onnx', claims: () => true, open };
