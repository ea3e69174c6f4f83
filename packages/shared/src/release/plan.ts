export const releaseStates = ['running', 'paused', 'ended'] as const;
export type ReleaseState = (typeof releaseStates)[number];
