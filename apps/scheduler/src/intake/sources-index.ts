// Reads Sources indexes (Debian's or a local archive's, the same format) as a stream and keeps, of each name, the highest
// version: a suite may be several dists (base, updates, security), and an index may hold several versions of one name.
import { createReadStream } from 'node:fs';
import { readDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import type { Fault } from '@retraind/shared/recipe/recipe';
import { StanzaSplitter, type StanzaText } from '@retraind/shared/recipe/stanza-splitter';
import { type RetrainTag, readTag } from '@retraind/shared/recipe/tag';
import { compareVersions, parseVersion } from '@retraind/shared/recipe/version';
import { Problem } from '@retraind/shared/wire/problems';

/** A source package that asks to be retrained: by its own tag, or by an overlay of the farm. */
export interface ListedSource {
  source: string;
  version: string;
  /** Folder in the archive, as the index says. */
  directory: string;
  /** Section and Priority; '' where the stanza does not say. */
  section: string;
  archivePriority: string;
  /** null where there is none (an overlay's package) or it cannot be read (then there are faults). */
  tag: RetrainTag | null;
  faults: Fault[];
  /** What was handed to `take` with the index. */
  beacon: string;
}

interface Newest {
  version: string;
  /** null: a version that does not ask to be retrained. It still hides older ones that do. */
  listed: ListedSource | null;
}

const namePattern = /^[a-z0-9][a-z0-9+.-]*$/;

// Read without parsing the stanza: most of an index is not ours.
const packageLine = /^Package[ \t]*:[ \t]*(.*?)[ \t\r]*$/im;
const versionLine = /^Version[ \t]*:[ \t]*(.*?)[ \t\r]*$/im;
const isExtra = (text: string): boolean => /^Extra-Source-Only[ \t]*:[ \t]*yes[ \t]*$/im.test(text);
const hasTag = (text: string): boolean => /^Retrain(-[A-Za-z]+)?[ \t]*:/im.test(text);

export class SourcesReading {
  /** Stanzas seen, in all indexes. */
  stanzas = 0;
  private readonly overlays: ReadonlySet<string>;
  private readonly newest = new Map<string, Newest>();

  /** `overlays`: names of source packages for which the farm keeps a recipe. */
  constructor(overlays: ReadonlySet<string>) {
    this.overlays = overlays;
  }

  /** Reads one index to its end. Problem `invalid-index` (file and line) where it is no Sources index; then the reading is void. */
  async take(chunks: AsyncIterable<string>, file: string, beacon: string): Promise<void> {
    const splitter = new StanzaSplitter(file);
    try {
      for await (const chunk of chunks) {
        for (const stanza of splitter.push(chunk)) this.takeStanza(stanza, file, beacon);
      }
      for (const stanza of splitter.end()) this.takeStanza(stanza, file, beacon);
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid-deb822') {
        throw new Problem('invalid-index', error.detail, error.hint);
      }
      throw error;
    }
  }

  takeFile(path: string, beacon: string): Promise<void> {
    const chunks = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
    return this.take(chunks as AsyncIterable<string>, path, beacon);
  }

  /** The packages whose current version asks to be retrained, by name. */
  listed(): ListedSource[] {
    return [...this.newest.values()]
      .flatMap(({ listed }) => (listed ? [listed] : []))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  private takeStanza({ text, line }: StanzaText, file: string, beacon: string): void {
    this.stanzas++;
    const source = packageLine.exec(text)?.[1];
    const version = versionLine.exec(text)?.[1];
    const bad = (what: string): Problem =>
      new Problem('invalid-index', `${file}:${line}: ${what}`, 'This is no Sources index, or it is damaged.');
    if (!source || !namePattern.test(source)) throw bad('a stanza without a valid Package');
    if (!version || !parseVersion(version)) throw bad(`${source} has no valid Version`);
    if (isExtra(text)) return;
    const known = this.newest.get(source);
    if (known && compareVersions(known.version, version) >= 0) return;
    const ours = hasTag(text) || this.overlays.has(source);
    this.newest.set(source, {
      version,
      listed: ours ? this.readListed({ text, line }, source, version, file, beacon) : null,
    });
  }

  private readListed(
    { text, line }: StanzaText,
    source: string,
    version: string,
    file: string,
    beacon: string,
  ): ListedSource | null {
    const [stanza] = readDeb822(text, { file, firstLine: line });
    if (!stanza) return null;
    const { tag, faults } = readTag(stanza, file);
    return {
      source,
      version,
      directory: valueIn(stanza, 'Directory') ?? '',
      section: valueIn(stanza, 'Section') ?? '',
      archivePriority: valueIn(stanza, 'Priority') ?? '',
      tag,
      faults,
      beacon,
    };
  }
}
