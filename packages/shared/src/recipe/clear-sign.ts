// The OpenPGP clear-signature around a .dsc, .changes or InRelease: taken off, not checked. Whoever needs trust has gpgv or
// apt check the file first and then reads only what lies between the marks. Source: RFC 9580 section 7.

export interface Stripped {
  /** The text inside, every other line emptied, so that line numbers stay those of the file. */
  text: string;
  /** Whether there was a wrapper at all. */
  signed: boolean;
  fault: { line: number; message: string; cure: string } | null;
}

const blank = (line: string): boolean => /^[ \t\r]*$/.test(line);
const mark = (line: string): string => line.slice(0, 200).trimEnd();

/**
 * Takes the wrapper off; text without one is returned as it is. Text before or after the wrapper is a fault: it is not under the
 * signature, and a reader that took it in would be fooled.
 */
export function stripClearSign(text: string): Stripped {
  if (!/^-----BEGIN PGP SIGNED MESSAGE-----[ \t\r]*$/m.test(text))
    return { text, signed: false, fault: null };
  const lines = text.split('\n');
  const inside = new Array<string>(lines.length).fill('');
  const refused = (index: number, message: string, cure: string): Stripped => ({
    text: '',
    signed: true,
    fault: { line: index + 1, message, cure },
  });
  let at = 0;
  while (blank(lines[at]!)) at++;
  if (mark(lines[at]!) !== '-----BEGIN PGP SIGNED MESSAGE-----') {
    return refused(at, 'text before the OpenPGP-signed message', 'remove it: it is not under the signature');
  }
  at++;
  // Armor headers (`Hash: SHA512`), ended by an empty line.
  while (at < lines.length && !blank(lines[at]!)) {
    if (!/^(Hash|Charset|Comment|Version|NotDashEscaped|SaltedHash): /.test(lines[at]!)) {
      return refused(at, 'an unknown armor header in the OpenPGP-signed message', 'sign the file again');
    }
    at++;
  }
  at++;
  for (; at < lines.length; at++) {
    const line = lines[at]!;
    if (mark(line) === '-----BEGIN PGP SIGNATURE-----') break;
    if (line.startsWith('- ')) inside[at] = line.slice(2);
    else if (line.startsWith('-')) {
      return refused(
        at,
        'a line of the signed message begins with an unescaped hyphen',
        'sign the file again',
      );
    } else inside[at] = line;
  }
  if (at >= lines.length) {
    return refused(
      lines.length - 1,
      'the OpenPGP-signed message has no signature',
      'the file is cut: fetch it again',
    );
  }
  while (at < lines.length && mark(lines[at]!) !== '-----END PGP SIGNATURE-----') at++;
  if (at >= lines.length) {
    return refused(lines.length - 1, 'the OpenPGP signature has no end', 'the file is cut: fetch it again');
  }
  for (at++; at < lines.length; at++) {
    if (!blank(lines[at]!)) {
      return refused(at, 'text after the OpenPGP-signed message', 'remove it: it is not under the signature');
    }
  }
  return { text: inside.join('\n'), signed: true, fault: null };
}
