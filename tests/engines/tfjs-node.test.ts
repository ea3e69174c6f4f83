import { testEngine } from './suite.ts';

await testEngine('tfjs-node', { compiled: true });
