import { testEngine } from './suite.ts';

await testEngine('webgpu', { compiled: false });
