// The folder of Debian's own Fashion-MNIST, for makers and tests that run outside a farm.
import { join } from 'node:path';
import { unpackedPackage } from './debian-package.ts';

/** Fetches and unpacks the package dataset-fashion-mnist once into .cache/. Throws a Problem where the archive is out of reach. */
export const fashionMnist = async (): Promise<string> =>
  join(await unpackedPackage('dataset-fashion-mnist'), 'usr/share/datasets/fashion-mnist');
