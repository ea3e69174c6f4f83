import { testEngine } from './suite.ts';

await testEngine('cpu', { compiled: false });
