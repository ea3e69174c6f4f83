// The states of a job, a run and a lease. They live here once; the database's CHECKs are compared with these lists.
//
//   JOB                          superseded ◄── a new version      cancelled ◄── a person
//                                    ▲ (from any state that is not final)
//     needs-retrain ──► retraining ──► judged
//        ▲   ▲             │  │
//        │   └── give back─┘  ├──► attempted   (blame: recipe; the maintainer hears)
//        │                    ├──► dep-wait    (a package is missing)      ─┐
//        │                    └──► data-wait   (data is out of reach)       ─┤ transient: the machine
//        └──────────────────────── budget-wait, held ◄──────────────────────┘ may leave them again
//     final, left only by a person, a new version or (failed) another overlay: failed, not-for-us, auto-not-for-us
//
//   RUN     waiting ──► leased ──► reported ──► void   (its node was quarantined: another run takes its place)
//              ▲          ├──────► broken (blame)
//              └─give back┘        cancelled
//
//   LEASE   (open) ──► reported | broken | given-back | lost | cancelled

export const jobStates = [
  'needs-retrain',
  'retraining',
  'judged',
  'attempted',
  'failed',
  'dep-wait',
  'data-wait',
  'budget-wait',
  'held',
  'not-for-us',
  'auto-not-for-us',
  'superseded',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

export const runStates = ['waiting', 'leased', 'reported', 'broken', 'cancelled', 'void'] as const;
export type RunState = (typeof runStates)[number];

/** The steps of a leased run, in order (DESIGN §4). */
export const runSteps = ['fetch', 'unpack', 'train', 'evaluate', 'pack', 'report'] as const;
export type RunStep = (typeof runSteps)[number];

export const leaseOutcomes = ['reported', 'broken', 'given-back', 'lost', 'cancelled'] as const;
export type LeaseOutcome = (typeof leaseOutcomes)[number];

export const blames = ['recipe', 'data', 'node', 'farm', 'budget', 'cancelled'] as const;
export type Blame = (typeof blames)[number];

const jobMoves: Record<JobState, readonly JobState[]> = {
  'needs-retrain': [
    'retraining',
    'dep-wait',
    'data-wait',
    'budget-wait',
    'held',
    'auto-not-for-us',
    'not-for-us',
    'superseded',
    'cancelled',
  ],
  retraining: [
    'judged',
    'needs-retrain',
    'attempted',
    'dep-wait',
    'data-wait',
    'budget-wait',
    'held',
    'auto-not-for-us',
    'superseded',
    'cancelled',
  ],
  judged: ['superseded', 'needs-retrain'],
  attempted: ['needs-retrain', 'failed', 'superseded', 'cancelled', 'not-for-us'],
  failed: ['needs-retrain', 'superseded'],
  'dep-wait': ['needs-retrain', 'superseded', 'cancelled', 'not-for-us'],
  'data-wait': ['needs-retrain', 'superseded', 'cancelled', 'not-for-us'],
  'budget-wait': ['needs-retrain', 'superseded', 'cancelled', 'not-for-us'],
  held: ['needs-retrain', 'superseded', 'cancelled', 'not-for-us'],
  'not-for-us': ['needs-retrain', 'superseded'],
  'auto-not-for-us': ['needs-retrain', 'superseded', 'not-for-us'],
  superseded: [],
  cancelled: ['needs-retrain'],
};

const runMoves: Record<RunState, readonly RunState[]> = {
  waiting: ['leased', 'cancelled'],
  leased: ['waiting', 'reported', 'broken', 'cancelled'],
  reported: ['void'],
  broken: [],
  cancelled: [],
  void: [],
};

/** Whether a job may go from one state to another at all. Who may ask for it is decided elsewhere. */
export const jobMayMove = (from: JobState, to: JobState): boolean => jobMoves[from].includes(to);

/** Whether a run may go from one state to another. */
export const runMayMove = (from: RunState, to: RunState): boolean => runMoves[from].includes(to);

/** Job states from which the from-state list of a move is derived, for one conditional UPDATE. */
export const jobStatesBefore = (to: JobState): JobState[] => jobStates.filter((from) => jobMayMove(from, to));

/** States in which a job still asks something of the farm. */
export const openJobStates = [
  'needs-retrain',
  'retraining',
  'dep-wait',
  'data-wait',
  'budget-wait',
  'held',
] as const satisfies JobState[];
