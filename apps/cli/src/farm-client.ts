// The farm's API as the command line uses it. The embedded farm leaves its address and token in its data folder.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';

/** Where an embedded farm keeps its data unless `--data` says otherwise (XDG base directories). */
export const defaultDataFolder = (): string =>
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'retraind');

/** What a farm in a data folder tells others about itself. */
export interface FarmAddress {
  address: string;
  tokenFile: string;
}

export const addressFile = (dataFolder: string): string => join(dataFolder, 'farm.json');

export class FarmClient {
  readonly #address: string;
  readonly #token: string | undefined;

  constructor(address: string, token?: string) {
    this.#address = address.replace(/\/$/, '');
    this.#token = token;
  }

  get address(): string {
    return this.#address;
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>('GET', path);
  }

  post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.#ask<T>('POST', path, body, headers);
  }

  /** A deed that nothing is said back to. */
  async deed(path: string, body: unknown): Promise<void> {
    await this.#send('POST', path, body);
  }

  async text(path: string): Promise<string> {
    return (await this.#send('GET', path)).text();
  }

  async #ask<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    return (await this.#send(method, path, body, headers)).json() as Promise<T>;
  }

  async #send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const withToken: Record<string, string> = this.#token ? { authorization: `Bearer ${this.#token}` } : {};
    const withBody: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    let response: Response;
    try {
      response = await fetch(this.#address + path, {
        method,
        headers: { ...withToken, ...withBody, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      throw new Problem(
        'farm-unreachable',
        `the farm at ${this.#address} does not answer`,
        'start one with: retrain farm',
        { cause: error },
      );
    }
    if (response.ok) return response;
    throw await problemOf(response);
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as { type?: string; detail?: string; hint?: string };
  const code = body.type?.replace('/problems/', '') ?? '';
  const known: ProblemCode =
    code in problemTable ? (code as ProblemCode) : response.status === 404 ? 'not-found' : 'internal';
  return new Problem(known, body.detail ?? `the farm answered ${response.status}`, body.hint);
}

/** The farm that the user means: `--farm URL`, else RETRAIND_API, else the one in the data folder. */
export async function findFarm(options: { farm?: string; data?: string }): Promise<FarmClient> {
  const given = options.farm ?? (options.data === undefined ? process.env.RETRAIND_API : undefined);
  const dataFolder = options.data ?? defaultDataFolder();
  const found = await readFile(addressFile(dataFolder), 'utf8').then(
    (text) => JSON.parse(text) as FarmAddress,
    () => undefined,
  );
  const token = found ? (await readFile(found.tokenFile, 'utf8').catch(() => '')).trim() : undefined;
  if (given)
    return new FarmClient(
      given,
      process.env.RETRAIND_TOKEN ?? (found?.address === given ? token : undefined),
    );
  if (!found) {
    throw new Problem(
      'farm-unreachable',
      `no farm runs on ${dataFolder}`,
      'start one with: retrain farm, or name one with --farm URL',
    );
  }
  return new FarmClient(found.address, process.env.RETRAIND_TOKEN ?? token);
}

export const farmOptions = {
  farm: {
    type: 'string',
    value: 'URL',
    help: 'the farm to ask (default: RETRAIND_API, else the one in --data)',
  },
  data: {
    type: 'string',
    value: 'FOLDER',
    help: 'data folder of an embedded farm (default: the XDG state folder)',
  },
} as const;
