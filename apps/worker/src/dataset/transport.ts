// How the bytes of a dataset come. One interface, one file a transport, one line in the list. A transport only brings files;
// whether they are the pinned ones is checked by datasets.ts, the same for all.
import type { Apt } from '@retraind/host/apt';
import type { RecipeDataset, Transport } from '@retraind/shared/recipe/recipe';
import { inSource } from './in-source.ts';
import { fromPackage } from './package.ts';

export interface TransportRequest {
  dataset: RecipeDataset;
  /** What the recipe says for this transport. */
  location: string;
  /** The unpacked source. */
  tree: string;
  /** Folder that outlives the run, for what was fetched; shared by several processes. */
  cache: string;
  /** The archive of the suite, its lists renewed once. */
  archive: () => Promise<Apt>;
  signal: AbortSignal;
}

export interface DataTransport {
  readonly name: Transport;
  /** Whether checked files may come from the cache. Not where the recipe could read the bytes past the check. */
  readonly cached: boolean;
  /** Folder below which `<directory>/<path>` of the dataset lies. Problems are blamed on the data unless their code says otherwise. */
  bring(request: TransportRequest): Promise<string>;
}

export const dataTransports: readonly DataTransport[] = [inSource, fromPackage];
