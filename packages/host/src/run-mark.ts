/** The variable by which processes that a worker started are known, and ended when it dies (worker/sandbox/keeper.ts). */
export const markName = 'RETRAIN_RUN_MARK';
