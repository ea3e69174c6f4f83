// retrain diff: two model files tensor by tensor, on this machine, whatever their size.
import { exitCodes } from '@retraind/shared/wire/problems';
import { bytesToCompare, compareModels } from '@retraind/worker/runtime/diff/compare';
import { openModelFile } from '@retraind/worker/runtime/formats/formats';
import type { ModelFile } from '@retraind/worker/runtime/formats/model-file';
import { jsonOption, type Verb } from '../args.ts';
import { openByteProgress } from '../byte-progress.ts';
import { comparisonText } from '../diff-view.ts';

export const diff: Verb = {
  name: 'diff',
  usage: 'diff A B [--align] [--json]',
  summary:
    'compare the tensors of two model files (ONNX, safetensors, gnubg): 0 where all are identical, 6 where not',
  words: [2, 2],
  options: {
    align: {
      type: 'boolean',
      help: 'first renumber the hidden units of B’s chains of dense layers (up to 4096 wide) to lie nearest to A’s',
    },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const [pathA, pathB] = args.words as [string, string];
    const opened: ModelFile[] = [];
    const open = (path: string): ModelFile => {
      const file = openModelFile(path);
      opened.push(file);
      return file;
    };
    try {
      const a = open(pathA);
      let b = open(pathB);
      let alignments = null;
      if (args.flag('align')) {
        const { alignModel } = await import('@retraind/worker/runtime/diff/align');
        output.say('aligning hidden units');
        ({ file: b, alignments } = await alignModel(a, b, signal));
      }
      const progress = openByteProgress(bytesToCompare(a, b), output);
      try {
        const comparison = await compareModels(a, b, { signal, onBytes: progress.add });
        progress.stop();
        output.result({ ...comparison, alignments }, comparisonText(comparison, alignments, output.color));
        return comparison.identical ? exitCodes.done : exitCodes.different;
      } finally {
        progress.stop();
      }
    } finally {
      for (const file of opened) file.close();
    }
  },
};
