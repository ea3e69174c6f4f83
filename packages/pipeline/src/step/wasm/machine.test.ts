// The replayed step on the wasm engine.
import { compiledEqualsEager } from '../suite.ts';

compiledEqualsEager('wasm');
