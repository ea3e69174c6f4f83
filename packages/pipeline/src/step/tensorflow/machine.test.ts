// The compiled step on TensorFlow, where it is installed (infra/gpu/install-tfjs-node).
import { compiledEqualsEager } from '../suite.ts';

compiledEqualsEager('tfjs-node', {
  // tfjs-node checks the row numbers in JavaScript; rowGather does not.
  'stock gather': /^the step reads an input or a variable back/,
});
