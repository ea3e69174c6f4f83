// The verbs, in the order in which `retrain --help` lists them. Adding one is one file and one line here.
import type { Verb } from './args.ts';
import { explain } from './verbs/explain.ts';
import { log } from './verbs/log.ts';
import { request } from './verbs/request.ts';
import { status } from './verbs/status.ts';
import { suite } from './verbs/suite.ts';

export const verbs: readonly Verb[] = [status, log, explain, request, suite];
