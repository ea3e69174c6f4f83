#!/usr/bin/env node
// From a checkout, where the sources are TypeScript. The folder that sandboxes mount is made by ../build.mjs.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('../src/main.ts');
process.exitCode = await main(process.argv.slice(2), new URL('../src/api.ts', import.meta.url).href);
