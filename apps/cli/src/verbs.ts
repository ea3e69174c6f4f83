// The verbs, in the order in which `retrain --help` lists them. Adding one is one file and one line here.
import type { Verb } from './args.ts';
import { archive } from './verbs/archive.ts';
import { budgetSet, budgetShow } from './verbs/budget.ts';
import { cancel, giveBack } from './verbs/cancel.ts';
import { demo } from './verbs/demo.ts';
import { diff } from './verbs/diff.ts';
import { explain } from './verbs/explain.ts';
import { farm } from './verbs/farm.ts';
import { ledgerAdd, ledgerList, ledgerRemove } from './verbs/ledger.ts';
import { lint } from './verbs/lint.ts';
import { log } from './verbs/log.ts';
import { newRecipe } from './verbs/new.ts';
import { nodeAcl } from './verbs/node/acl.ts';
import { nodeApprove } from './verbs/node/approve.ts';
import { nodeEnrol } from './verbs/node/enrol.ts';
import { nodeDrain, nodeResume, nodeRetire } from './verbs/node/govern.ts';
import { nodeLimit } from './verbs/node/limit.ts';
import { nodeList } from './verbs/node/list.ts';
import { nodeShow } from './verbs/node/show.ts';
import { nodeTag } from './verbs/node/tag.ts';
import { approve, audit, tokenList, tokenMake, tokenRevoke } from './verbs/people.ts';
import {
  release,
  releaseEnd,
  releaseList,
  releasePause,
  releaseReport,
  releaseResume,
  releaseShow,
} from './verbs/release.ts';
import { request } from './verbs/request.ts';
import { run } from './verbs/run.ts';
import { simulate } from './verbs/simulate.ts';
import { status } from './verbs/status.ts';
import { suite } from './verbs/suite.ts';
import { verdict } from './verbs/verdict.ts';

export const verbs: readonly Verb[] = [
  demo,
  run,
  lint,
  newRecipe,
  farm,
  status,
  log,
  verdict,
  explain,
  diff,
  request,
  cancel,
  giveBack,
  approve,
  release,
  releasePause,
  releaseResume,
  releaseEnd,
  releaseReport,
  releaseShow,
  releaseList,
  budgetShow,
  budgetSet,
  ledgerList,
  ledgerAdd,
  ledgerRemove,
  tokenMake,
  tokenList,
  tokenRevoke,
  audit,
  suite,
  nodeEnrol,
  nodeApprove,
  nodeList,
  nodeShow,
  nodeDrain,
  nodeResume,
  nodeRetire,
  nodeTag,
  nodeLimit,
  nodeAcl,
  archive,
  simulate,
];
