// The verbs, in the order in which `retrain --help` lists them. Adding one is one file and one line here.
import type { Verb } from './args.ts';

export const verbs: readonly Verb[] = [];
