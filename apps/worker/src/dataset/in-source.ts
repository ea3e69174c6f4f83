// Data that the source package itself carries: nothing to fetch.
import { join } from 'node:path';
import type { DataTransport } from './transport.ts';

export const inSource: DataTransport = {
  name: 'in-source',
  bring: async ({ tree, location }) => join(tree, location),
};
