// gnubg.wd: float32 472.3782, float32 1.0, then per net uint32 inputs, hidden, outputs and int32 times trained, float32 slopes of
// hidden and output sigmoids, the arrays. All little-endian, nothing after the sixth net.
import { gnubgNets } from '@retraind/shared/recipe/recipe';
import { FileBytes } from './file-bytes.ts';
import { arraysOf, betaName, gnubgFile, type NetTensor, versionCure } from './gnubg.ts';
import { ModelFault } from './model-fault.ts';
import type { ModelFile, ModelFormat } from './model-file.ts';
import { filePiece } from './pieces.ts';

const magic = Buffer.from(new Float32Array([472.3782]).buffer);
const headerBytes = 24;

const readNets = (file: FileBytes): NetTensor[] => {
  if (file.size < 8) throw new ModelFault(`its ${file.size} bytes are too few for a gnubg.wd`);
  const version = file.bytes(4, 4).readFloatLE();
  if (version !== 1)
    throw new ModelFault(`it is a gnubg.wd of version ${version}, which is not read`, versionCure);
  let at = 8;
  const take = (net: string, bytes: number): number => {
    if (bytes > file.size - at) {
      throw new ModelFault(
        `it is truncated: net ${net} needs ${bytes} bytes at ${at}, the file ends at ${file.size}`,
      );
    }
    at += bytes;
    return at - bytes;
  };
  const found: NetTensor[] = [];
  for (const net of gnubgNets) {
    const start = take(net, headerBytes);
    const header = file.bytes(start, 12);
    found.push({ name: betaName(net), shape: [2], piece: filePiece(file, start + 16, start + 24) });
    const [inputs, hidden, outputs] = [0, 4, 8].map((offset) => header.readUInt32LE(offset)) as [
      number,
      number,
      number,
    ];
    for (const { name, shape } of arraysOf(net, { inputs, hidden, outputs })) {
      const bytes = 4 * shape.reduce((size, length) => size * length, 1);
      const begin = take(net, bytes);
      found.push({ name, shape, piece: filePiece(file, begin, begin + bytes) });
    }
  }
  if (at !== file.size)
    throw new ModelFault(`it goes on after its six nets: they end at byte ${at}, the file at ${file.size}`);
  return found;
};

const open = (path: string): ModelFile => {
  const file = new FileBytes(path);
  try {
    return gnubgFile(gnubgBinary.name, path, readNets(file), () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
};

export const gnubgBinary: ModelFormat = {
  name: 'gnubg.wd',
  claims: (head) => magic.equals(head.subarray(0, 4)),
  open,
};
