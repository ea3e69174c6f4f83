// Reader for npz: a zip of npy files, one an array (numpy.savez, numpy.savez_compressed). The zip is yauzl's; a stored
// member is read where it lies in the zip, a deflated one is decompressed first.
import { type Readable, Transform } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { RecipeFault } from '../fault.ts';
import { type ByteSource, dataPath, fileSource, windowOf } from './byte-source.ts';
import {
  type DataArray,
  defaultMaxBytes,
  load,
  type ReadLimits,
  type StoredArray,
  store,
} from './data-array.ts';
import { npy } from './npy.ts';
import { locate } from './reader.ts';
import { unpack } from './unpack.ts';

/** More arrays than that is no set of data; each one is kept by name while its file is searched. */
const maxMembers = 10_000;

const broken = (path: string, error: unknown): RecipeFault =>
  new RecipeFault(
    `${path}: broken npz (${(error as Error).message})`,
    'fetch the file again, or write it with numpy.savez',
    { cause: error },
  );

/** The member that holds the array `name`, which may be left out where there is only one. */
async function find(zip: ZipFile, path: string, name: string | undefined): Promise<Entry> {
  const names: string[] = [];
  let found: Entry | null = null;
  for await (const entry of zip.eachEntry()) {
    const own = entry.fileName.replace(/\.npy$/, '');
    if (names.push(own) > maxMembers) {
      throw new RecipeFault(`${path}: more than ${maxMembers} arrays`, 'split the file');
    }
    if (name === undefined || own === name) found ??= entry;
  }
  if (found && (name !== undefined || names.length === 1)) return found;
  const known = `${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
  throw new RecipeFault(
    name === undefined
      ? `${path}: holds ${names.length} arrays`
      : `${path}: holds no array '${name}' (it holds ${known || 'none'})`,
    known ? `name one of ${known}` : 'give a file with arrays',
  );
}

/** Passes bytes on; fails at their end where the sum is another. */
const checkingSum = (expected: number): Transform => {
  let sum = 0;
  return new Transform({
    transform(bytes: Buffer, _, done) {
      sum = crc32(bytes, sum);
      done(null, bytes);
    },
    flush: (done) => done(sum === expected ? null : new Error('its checksum is wrong')),
  });
};

/** The npy file inside; `maxBytes`: for memory, at most so many; null: to be read by position. */
async function openMember(
  path: string,
  name: string | undefined,
  maxBytes: number | null,
): Promise<ByteSource> {
  // For its faults: a missing file, a pipe.
  fileSource(path).close();
  let zip: ZipFile | null = null;
  try {
    zip = await openPromise(path, { autoClose: false });
    const entry = await find(zip, path, name);
    const label = `${path}: ${entry.fileName}`;
    if (entry.compressionMethod === 0) {
      if (!entry.canDecodeFileData()) throw new Error(`${entry.fileName} is encrypted`);
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      return windowOf(fileSource(path), label, fileDataStart, entry.uncompressedSize);
    }
    const stream: Readable = await zip.openReadStreamPromise(entry);
    const packed = {
      path: label,
      size: entry.compressedSize,
      streams: [stream, checkingSum(entry.crc32)] as [Readable, Transform],
      broken: (error: unknown) => broken(label, error),
    };
    return await unpack(packed, npy.parseHeader, maxBytes);
  } catch (error) {
    throw error instanceof RecipeFault ? error : broken(path, error);
  } finally {
    zip?.close();
  }
}

/** Reads an array of an npz file into memory; the name may be left out where there is only one. */
export async function readNpz(
  name: string,
  array?: string,
  { maxBytes = defaultMaxBytes }: Partial<ReadLimits> = {},
): Promise<DataArray> {
  const source = await openMember(dataPath(name), array, maxBytes);
  try {
    return load(source, locate(npy, source), maxBytes);
  } finally {
    source.close();
  }
}

/** Opens an array of an npz file to read records where they lie; a deflated one goes into a scratch file first. */
export async function openNpz(name: string, array?: string): Promise<StoredArray> {
  const source = await openMember(dataPath(name), array, null);
  try {
    return store(source, locate(npy, source));
  } catch (error) {
    source.close();
    throw error;
  }
}
