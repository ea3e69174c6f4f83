// Every error that a user may meet: one class, one table. The table gives the HTTP status, the exit code of the CLI and
// the hint; its type URI is a page of the API. Expected outcomes (a verdict, a refusal) are values, never Problems.
// Source: RFC 9457 (problem details).

/** One line of the table: what a code means everywhere it shows. */
interface Row {
  readonly status: number;
  readonly exit: number;
  readonly title: string;
}

/** Exit codes are documented API (docs/reference/cli.md). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  partly: 3,
  notFound: 4,
  notAllowed: 5,
  different: 6,
  inconclusive: 7,
  notVerifiable: 8,
  waiting: 9,
  farmUnreachable: 10,
  interrupted: 130,
} as const;

const row = (status: number, exit: number, title: string): Row => ({ status, exit, title });

export const problemTable = {
  usage: row(400, 2, 'The command or request is not of the form that is documented'),
  'invalid-request': row(400, 2, 'The request does not fit its schema'),
  'invalid-recipe': row(422, 1, 'The recipe has faults'),
  'invalid-deb822': row(422, 1, 'A control file cannot be read'),
  'invalid-index': row(422, 1, 'An archive index cannot be read'),
  'invalid-archive': row(422, 1, 'A source archive is refused'),
  'invalid-model': row(422, 1, 'A model file cannot be read'),
  'invalid-data': row(422, 1, 'A data file cannot be read'),
  'invalid-config': row(500, 2, 'The configuration has faults'),
  'not-supported': row(422, 1, 'This is not supported yet'),
  unauthorized: row(401, 5, 'Proof of who asks is missing or wrong'),
  forbidden: row(403, 5, 'The asker may not do this'),
  'not-your-run': row(403, 5, 'The run is leased to another node'),
  'not-found': row(404, 4, 'There is no such thing'),
  conflict: row(409, 1, 'The state of the thing forbids this'),
  'lease-lost': row(409, 1, 'The lease ended: another epoch holds the run'),
  'too-large': row(413, 1, 'The thing is larger than its limit'),
  'digest-mismatch': row(422, 1, 'The bytes do not have the digest that was said'),
  'run-cancelled': row(409, 1, 'The run was cancelled'),
  'node-stopped': row(503, 1, 'The node was stopped while the run was on it'),
  preempted: row(503, 1, 'The run had to leave its slot to another'),
  'given-back': row(503, 1, 'The run was given back by a person'),
  'resume-failed': row(503, 1, 'The run failed after it was resumed from a checkpoint'),
  'try-elsewhere': row(503, 1, 'The recipe asked to be tried on another node'),
  'device-fault': row(503, 1, 'A device of the node is broken or gone'),
  'device-memory': row(503, 1, 'The device has too little memory for the run'),
  'out-of-memory': row(503, 1, 'The machine ran out of memory'),
  'limit-exceeded': row(422, 1, 'The run passed a limit'),
  'dep-wait': row(409, 9, 'A package that the recipe needs is not installed'),
  'data-wait': row(409, 9, 'Data that the recipe declares is out of reach'),
  'recipe-failed': row(422, 1, 'The recipe failed'),
  'sandbox-unavailable': row(503, 1, 'The sandbox cannot be made on this machine'),
  'tool-missing': row(503, 1, 'A tool that the machine should have is missing'),
  'does-not-fit': row(409, 1, 'The recipe asks for more than the slot has'),
  'invalid-inventory': row(422, 1, 'What a machine says of its devices cannot be believed'),
  'network-unreachable': row(503, 1, 'The network or an archive is out of reach'),
  'disk-full': row(507, 1, 'The disk or a quota is full'),
  busy: row(503, 1, 'The farm has no room for this now'),
  'port-in-use': row(500, 1, 'The address is taken'),
  'already-running': row(409, 1, 'Another farm uses this data folder'),
  'database-unavailable': row(503, 10, 'The database does not answer'),
  'queue-unavailable': row(503, 10, 'The queue does not answer'),
  'farm-unreachable': row(503, 10, 'The farm does not answer'),
  internal: row(500, 1, 'Internal error'),
} as const satisfies Record<string, Row>;

export type ProblemCode = keyof typeof problemTable;

/** An error meant for a person: what happened (detail), where, and the cure (hint). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint: string | undefined;

  constructor(code: ProblemCode, detail: string, hint?: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.code = code;
    this.detail = detail;
    this.hint = hint;
  }

  get status(): number {
    return problemTable[this.code].status;
  }

  get exitCode(): number {
    return problemTable[this.code].exit;
  }

  /** The body of an `application/problem+json` answer (RFC 9457); `hint` is our one extension member. */
  toJSON(): { type: string; title: string; status: number; detail: string; hint?: string } {
    const { title, status } = problemTable[this.code];
    const body = { type: `/problems/${this.code}`, title, status, detail: this.detail };
    return this.hint === undefined ? body : { ...body, hint: this.hint };
  }
}
