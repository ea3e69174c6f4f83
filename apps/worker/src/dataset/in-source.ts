// Data that the source package itself carries: nothing to fetch.
import type { DataTransport } from './transport.ts';

export const inSource: DataTransport = {
  name: 'in-source',
  bring: async ({ tree }) => tree,
};
