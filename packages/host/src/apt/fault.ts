// What apt says on stderr, as a Problem a person and the blame rules can act on. apt has no machine-readable errors: the
// texts below are those of apt 2.2 to 3.0 in the C locale (methods/, apt-pkg/acquire-item.cc, deb/debmetaindex.cc).
import { Problem, type ProblemCode } from '@retraind/shared/wire/problems';

const first = (stderr: string, pattern: RegExp): string | null => {
  const line = stderr.split('\n').find((text) => pattern.test(text));
  return line ? line.replace(/^\s*[EW]: /, '').trim() : null;
};

interface Rule {
  pattern: RegExp;
  code: ProblemCode;
  hint: string;
}

const unreachable =
  /Could not resolve|Temporary failure resolving|Could not connect|Cannot initiate the connection|Unable to connect|Connection (failed|timed out|refused|reset)|Network is unreachable|Something wicked happened resolving|Could not wait for server fd|Certificate verification failed/;
const notTheFile =
  /Hash Sum mismatch|Hashes of expected file|unexpected size|Mirror sync in progress|Writing more data than expected/;
const badSignature =
  /NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|ERRSIG|is not signed|signatures? (were|was|couldn't|could not)|invalid signature|Clearsigned file isn't valid|NODATA|weak security|data and signature failed|Signed-By|sqv|unsupported filetype|public key is not available/;

const indexRules: Rule[] = [
  {
    pattern: badSignature,
    code: 'invalid-index',
    hint: 'The signature of the archive does not hold with the key of the suite: nothing was taken, the old index is kept. Compare the key (Signed-By) with the one that the archive publishes.',
  },
  {
    pattern: notTheFile,
    code: 'invalid-index',
    hint: 'An index is not the file that the signed Release names (cut off, or the mirror is being updated): nothing was taken, the old index is kept. Try again in some minutes.',
  },
  {
    pattern: /is (expired|not valid (yet|anymore))|not valid yet|Release file .* is expired/,
    code: 'invalid-index',
    hint: 'The Release file is out of its time of validity: check the clock here, and whether the mirror is still updated.',
  },
  {
    pattern: unreachable,
    code: 'network-unreachable',
    hint: 'Check the network, the proxy and the URIs of the suite.',
  },
  {
    pattern: /does not have a Release file|no longer has a Release file|File not found|404 {2}Not Found/,
    code: 'network-unreachable',
    hint: 'There is no signed Release file at this address: check URIs and Suites of the suite.',
  },
  {
    pattern:
      /Malformed (entry|stanza|line)|Unable to parse|Type .* is not known|Encountered a section with no Package/,
    code: 'invalid-index',
    hint: 'apt cannot read this list.',
  },
];

const fileRules: Rule[] = [
  {
    pattern: /404 {2}Not Found|File not found|403 {2}Forbidden|410 {2}Gone/,
    code: 'data-wait',
    hint: 'The mirror lists the file and does not have it: the job waits for data. It comes back with a newer index or another mirror.',
  },
  {
    pattern: notTheFile,
    code: 'digest-mismatch',
    hint: 'The bytes are not those that the signed index names: nothing was kept. Try another mirror.',
  },
  {
    pattern: unreachable,
    code: 'network-unreachable',
    hint: 'Check the network, the proxy and the URIs of the suite.',
  },
  {
    pattern:
      /Unable to (find a source package|locate package)|was not found|Can't select (candidate|versions?)|No packages? found|has no available/i,
    code: 'not-found',
    hint: 'The suite does not list it: check the name and the version, and whether the index is fresh.',
  },
  {
    pattern: /No space left on device/,
    code: 'disk-full',
    hint: 'Make room, or give the state folder a larger disk.',
  },
];

const map = (rules: readonly Rule[], stderr: string, otherwise: Rule): Problem => {
  const rule = rules.find(({ pattern }) => pattern.test(stderr)) ?? otherwise;
  const detail = first(stderr, rule.pattern) ?? first(stderr, /^E: /) ?? stderr.trim().slice(-400);
  return new Problem(rule.code, detail, rule.hint);
};

/** Why `apt-get update` failed. */
export const indexFault = (stderr: string): Problem =>
  map(indexRules, stderr, {
    pattern: /^E: /,
    code: 'invalid-index',
    hint: 'apt could not renew its lists; the old ones are kept.',
  });

/** Why a source package or a .deb did not come. */
export const fileFault = (stderr: string): Problem =>
  map(fileRules, stderr, { pattern: /^E: /, code: 'data-wait', hint: 'apt could not fetch it.' });
