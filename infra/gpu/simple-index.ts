// A package index without pip: the page that lists a project's files (PEP 503 as HTML, PEP 691 as JSON), then the file.
// Takes $PIP_INDEX_URL and $PIP_CERT, as pip does; no proxy.
import { createWriteStream, readFileSync } from 'node:fs';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { diskFault, InstallFault } from './fault.ts';
import type { Wheel } from './parts.ts';

const publicIndex = 'https://pypi.org/simple';
/** A page of the largest projects is about 1 MB. */
const longestPage = 32 << 20;
const silenceMs = 60_000;

const out = (what: string): InstallFault =>
  new InstallFault(
    'unreachable',
    what,
    'look whether this machine reaches a package index (PIP_INDEX_URL), or bring the file and say --from FOLDER',
  );

/** The body of a URL, five redirects at most. */
function open(url: URL, accept: string, redirects = 5): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(out(`${url.host} does not give ${url.pathname}: ${why}`));
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return fail(`no ${url.protocol} here`);
    const cert = process.env.PIP_CERT;
    const { username, password } = url;
    const options = {
      headers: { accept },
      ...(username ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
      ...(cert && url.protocol === 'https:' ? { ca: readFileSync(cert) } : {}),
    };
    const get = url.protocol === 'https:' ? getSecure : getPlain;
    const request = get(url, options, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode === 200) return resolve(response);
      response.resume();
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        open(new URL(headers.location, url), accept, redirects - 1).then(resolve, reject);
      } else fail(`status ${statusCode}`);
    });
    request.setTimeout(silenceMs, () => request.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
    request.on('error', (error) => fail(error.message));
  });
}

async function page(url: URL): Promise<{ type: string; text: string }> {
  const response = await open(url, 'application/vnd.pypi.simple.v1+json, text/html;q=0.5');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > longestPage) throw out(`${url.host} answers with a page of more than ${longestPage} bytes`);
    chunks.push(chunk);
  }
  return { type: response.headers['content-type'] ?? '', text: Buffer.concat(chunks).toString() };
}

/** Address of a file in a project's page, null where the page does not list it. Throws no more than a URL can. */
export function findFile(type: string, text: string, file: string): string | null {
  if (type.includes('json')) {
    const { files } = JSON.parse(text) as { files?: { filename?: unknown; url?: unknown }[] };
    const url = files?.find(({ filename }) => filename === file)?.url;
    return typeof url === 'string' ? url : null;
  }
  for (const [, href] of text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']{1,4000})["']/gi)) {
    const plain = href!.replaceAll('&amp;', '&').split('#')[0]!;
    if (decodeURIComponent(plain.split('?')[0]!.split('/').at(-1)!) === file) return plain;
  }
  return null;
}

/** Fetches the wheel into `folder` and answers its path; its digest is for the caller to check. */
export async function downloadFromIndex(wheel: Wheel, folder: string): Promise<string> {
  const index = (process.env.PIP_INDEX_URL || publicIndex).replace(/\/+$/, '');
  const listing = new URL(`${index}/${wheel.project}/`);
  const { type, text } = await page(listing);
  let address: string | null;
  try {
    address = findFile(type, text, wheel.file);
  } catch {
    throw out(`${listing.host} answers with a page that cannot be read`);
  }
  if (address === null) throw out(`${listing.host} does not list ${wheel.file}`);
  const to = join(folder, wheel.file);
  const body = await open(new URL(address, listing), '*/*');
  try {
    await pipeline(body, createWriteStream(to));
  } catch (error) {
    const told = diskFault(error, folder);
    throw told instanceof InstallFault ? told : out(`the download of ${wheel.file} broke off`);
  }
  return to;
}
