// Data in a binary package of the suite's archive (Location: `name (>= version)`), fetched by the private apt and unpacked
// without root. The package's own scripts never run.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDeb } from '@retraind/host/apt/deb';
import { parseRelation } from '@retraind/shared/recipe/relation';
import { versionSatisfies } from '@retraind/shared/recipe/version';
import { Problem } from '@retraind/shared/wire/problems';
import type { DataTransport } from './transport.ts';

export const fromPackage: DataTransport = {
  name: 'package',
  async bring({ location, cache, archive, signal }) {
    const relation = parseRelation(location);
    if (typeof relation === 'string') throw new Problem('invalid-recipe', `Location: ${relation}.`);
    const apt = await archive();
    const bound = relation.version;
    const candidates = await apt.candidates(relation.name);
    const found = candidates.find(
      ({ version }) => bound === null || versionSatisfies(version, bound.operator, bound.version),
    );
    if (!found) {
      const versions = candidates.map(({ version }) => version).join(', ');
      throw new Problem(
        'data-wait',
        `The archive has no ${location}${versions ? ` (it has ${versions})` : ''}.`,
        'Add an archive that has it to the suite, or mend Location.',
      );
    }
    const key = createHash('sha256')
      .update(`${found.packageName} ${found.version} ${found.sha256}`)
      .digest('hex');
    const unpacked = join(cache, 'packages', key.slice(0, 32));
    if (existsSync(unpacked)) return unpacked;
    await mkdir(join(cache, 'packages'), { recursive: true });
    const download = await mkdtemp(join(cache, 'download-'));
    try {
      const deb = await apt.fetchBinary(found.packageName, found.version, download, signal);
      await unpackDeb(deb, unpacked).catch((error) => {
        // Another slot of this node unpacked the same package meanwhile.
        if (!existsSync(unpacked)) throw error;
      });
    } finally {
      await rm(download, { recursive: true, force: true });
    }
    return unpacked;
  },
};
