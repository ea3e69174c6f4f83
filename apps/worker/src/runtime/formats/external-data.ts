// Files beside an ONNX file that hold values of its tensors. Confined to the model's folder: a model file says where to read, and must
// not make us read anything else. Source: ONNX, docs/ExternalData.md.
import { constants, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { FileBytes } from './file-bytes.ts';
import { ModelFault, quoted } from './model-fault.ts';
import { filePiece, type Piece } from './pieces.ts';

const maxFiles = 1_000;
/** Of values in memory: as a model in one file. */
const maxHeldBytes = 2 ** 31 - 1;
const cure = 'save the model as one file, or with its data in files beside it that no link leads out of';

export interface ExternalPlace {
  location: string;
  offset: bigint;
  /** Null: to the file's end. */
  length: bigint | null;
}

const wholeNumber = (text: string, what: string): bigint => {
  if (!/^\d{1,19}$/.test(text))
    throw new ModelFault(`its external data says the ${what} ${quoted(text)}`, cure);
  return BigInt(text);
};

/** The place from the entries of TensorProto.external_data. */
export const placeOf = (entries: readonly [key: string, value: string][]): ExternalPlace => {
  const found = new Map(entries);
  if (found.size !== entries.length) throw new ModelFault('its external data names a key twice', cure);
  const location = found.get('location');
  if (location === undefined) throw new ModelFault('its external data names no location', cure);
  const length = found.get('length');
  return {
    location,
    offset: wholeNumber(found.get('offset') ?? '0', 'offset'),
    length: length === undefined ? null : wholeNumber(length, 'length'),
  };
};

interface Taken {
  file: FileBytes;
  name: string;
  begin: number;
  end: number;
}

export class ExternalData {
  readonly #model: string;
  readonly #folder: string;
  readonly #files = new Map<string, FileBytes>();
  readonly #taken: Taken[] = [];
  readonly #names = new Set<string>();
  #held = 0;

  constructor(modelPath: string) {
    this.#model = realpathSync(modelPath);
    this.#folder = realpathSync(dirname(modelPath));
  }

  #open(location: string): FileBytes {
    const refuse = (why: string): ModelFault =>
      new ModelFault(`its external data ${quoted(location)} ${why}`, cure);
    const parts = location.split(/[/\\]/);
    if (location === '' || location.includes('\0') || isAbsolute(location) || /^[A-Za-z]:/.test(location)) {
      throw refuse('is no path relative to the model');
    }
    if (location.includes('\\') || parts.includes('..')) throw refuse('leads out of the model’s folder');
    let real: string;
    try {
      real = realpathSync(join(this.#folder, location));
    } catch {
      throw refuse('is not there');
    }
    if (!real.startsWith(this.#folder.endsWith(sep) ? this.#folder : this.#folder + sep)) {
      throw refuse('is a link that leads out of the model’s folder');
    }
    if (real === this.#model) throw refuse('is the model file itself');
    const known = this.#files.get(real);
    if (known) return known;
    if (this.#files.size >= maxFiles)
      throw new ModelFault(`it names more than ${maxFiles} files of external data`, cure);
    const file = new FileBytes(real, constants.O_NOFOLLOW);
    this.#files.set(real, file);
    return file;
  }

  /** The values of tensor `name`, which need `bytes`. */
  piece(name: string, { location, offset, length }: ExternalPlace, bytes: bigint): Piece {
    const file = this.#open(location);
    this.#names.add(normalize(location));
    const refuse = (why: string): ModelFault =>
      new ModelFault(`tensor ${quoted(name)} ${why} in its external data ${quoted(location)}`, cure);
    const size = length ?? BigInt(file.size) - offset;
    if (offset + size > BigInt(file.size) || size < 0n) {
      throw refuse(`lies at ${offset}, ${size} bytes long, beyond the end (${file.size} bytes)`);
    }
    if (size !== bytes) throw refuse(`needs ${bytes} bytes and has ${size}`);
    const begin = Number(offset);
    const end = begin + Number(bytes);
    this.#taken.push({ file, name, begin, end });
    return filePiece(file, begin, end);
  }

  /** The places that tensors named so far, below the model's folder, each in its shortest spelling. */
  names(): string[] {
    return [...this.#names].sort();
  }

  /** As `piece`, in memory. Throws ModelFault where all that was taken so passes 2 GiB. */
  values(name: string, place: ExternalPlace, bytes: bigint): Buffer {
    const piece = this.piece(name, place, bytes);
    this.#held += piece.bytes;
    if (this.#held > maxHeldBytes) {
      throw new ModelFault(`its external data has more than ${maxHeldBytes} bytes`, 'judge it by its bytes');
    }
    const held = Buffer.alloc(piece.bytes);
    piece.read(0, held);
    return held;
  }

  /** Throws ModelFault where two tensors share bytes. */
  refuseOverlaps(): void {
    const files = new Map<FileBytes, Taken[]>();
    for (const one of this.#taken) {
      if (one.end === one.begin) continue;
      const places = files.get(one.file) ?? [];
      places.push(one);
      files.set(one.file, places);
    }
    for (const places of files.values()) {
      places.sort((a, b) => a.begin - b.begin);
      places.forEach((one, i) => {
        const before = places[i - 1];
        if (before && one.begin < before.end) {
          throw new ModelFault(
            `tensors ${quoted(before.name)} and ${quoted(one.name)} overlap at byte ${one.begin} of their external data`,
            cure,
          );
        }
      });
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}
