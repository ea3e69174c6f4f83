// Data that the source package itself carries: nothing to fetch.
import { join } from 'node:path';
import type { DataTransport } from './transport.ts';

export const inSource: DataTransport = {
  name: 'in-source',
  // The tree's own files are checked at every run: the recipe sees them there too.
  cached: false,
  bring: async ({ tree, location }) => join(tree, location),
};
