// gnubg.weights, version 1.00: a line `GNU Backgammon 1.00`, then per net a line `inputs hidden outputs timesTrained betaHidden
// betaOutput` and one number a line. Version 1.01 names its nets and orders them otherwise: refused by name, never misread.
import { gnubgNets } from '@retraind/shared/recipe/recipe';
import { FileBytes } from './file-bytes.ts';
import { parseFloat32 } from './float32-text.ts';
import { arraysOf, betaName, gnubgFile, type NetTensor, versionCure } from './gnubg.ts';
import { ModelFault, quoted } from './model-fault.ts';
import type { ModelFile, ModelFormat } from './model-file.ts';
import { memoryPiece } from './pieces.ts';

/** gnubg's own has 1.1 MB; the numbers are held in memory, at most half of this. */
const maxFileBytes = 2 ** 26;
const longestWord = 64;
const firstWords = 'GNU Backgammon ';

/** Words between white space, with the line that each stands in. */
function* wordsOf(file: FileBytes, start: number): Generator<{ word: string; line: number }> {
  let line = 2;
  let word = '';
  for (let at = start; ; at++) {
    const byte = file.byte(at);
    const isSpace = byte === undefined || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
    if (!isSpace) word += String.fromCharCode(byte);
    if (word.length > longestWord)
      throw new ModelFault(`line ${line}: a word of more than ${longestWord} characters`);
    if (isSpace && word !== '') {
      yield { word, line };
      word = '';
    }
    if (byte === undefined) return;
    if (byte === 0x0a) line++;
  }
}

const readNets = (file: FileBytes): NetTensor[] => {
  if (file.size > maxFileBytes)
    throw new ModelFault(`it has ${file.size} bytes; at most ${maxFileBytes} are read as text`);
  let end = firstWords.length;
  while (end < 80 && file.byte(end) !== 0x0a && file.byte(end) !== undefined) end++;
  const version = file
    .bytes(firstWords.length, end - firstWords.length)
    .toString('latin1')
    .trim();
  if (version !== '1.00') {
    throw new ModelFault(
      `it is a gnubg.weights of version ${quoted(version)}, which is not read`,
      versionCure,
    );
  }
  const words = wordsOf(file, end + 1);
  const take = (what: string): { word: string; line: number } => {
    const next = words.next();
    if (next.done) throw new ModelFault(`it is truncated: it ends where ${what} should be`);
    return next.value;
  };
  const number = (what: string): number => {
    const { word, line } = take(what);
    const value = parseFloat32(word);
    if (value === null) throw new ModelFault(`line ${line}: ${quoted(word)} is no finite number (${what})`);
    return value;
  };
  const size = (what: string): number => {
    const { word, line } = take(what);
    if (!/^\d{1,9}$/.test(word))
      throw new ModelFault(`line ${line}: ${quoted(word)} is no whole number (${what})`);
    return Number(word);
  };
  const values = (what: string, count: number) => {
    // No more than the file can hold: a number takes two bytes with its line's end.
    if (count > file.size) throw new ModelFault(`it is truncated: ${what} needs ${count} numbers`);
    const held = Buffer.alloc(4 * count);
    for (let i = 0; i < count; i++) held.writeFloatLE(number(what), 4 * i);
    return memoryPiece(held);
  };
  const found: NetTensor[] = [];
  for (const net of gnubgNets) {
    const [inputs, hidden, outputs] = ['inputs', 'hidden', 'outputs'].map((what) =>
      size(`the ${what} of net ${net}`),
    ) as [number, number, number];
    const arrays = arraysOf(net, { inputs, hidden, outputs });
    number(`how often net ${net} was trained`);
    found.push({ name: betaName(net), shape: [2], piece: values(betaName(net), 2) });
    for (const { name, shape } of arrays) {
      found.push({
        name,
        shape,
        piece: values(
          name,
          shape.reduce((count, length) => count * length, 1),
        ),
      });
    }
  }
  const rest = words.next();
  if (!rest.done) throw new ModelFault(`line ${rest.value.line}: it goes on after its six nets`);
  return found;
};

const open = (path: string): ModelFile => {
  const file = new FileBytes(path);
  try {
    return gnubgFile(gnubgText.name, path, readNets(file), () => undefined);
  } finally {
    file.close();
  }
};

export const gnubgText: ModelFormat = {
  name: 'gnubg.weights',
  claims: (head) => Buffer.from(head.subarray(0, firstWords.length)).toString('latin1') === firstWords,
  open,
};
