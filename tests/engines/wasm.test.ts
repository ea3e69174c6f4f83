import { testEngine } from './suite.ts';

await testEngine('wasm', { compiled: true });
