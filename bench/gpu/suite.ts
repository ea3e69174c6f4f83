// The conformance suite of one engine, for the bundle: node lib/suite.mjs ENGINE.
import { testEngine } from '../../tests/engines/suite.ts';

const [name] = process.argv.slice(2) as [string];
await testEngine(name, { compiled: name === 'wasm' || name.startsWith('tfjs-node') });
