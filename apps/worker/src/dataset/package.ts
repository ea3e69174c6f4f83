// Data in a binary package of the suite's archive: Location is `name (>= version)`.
import { parseRelation } from '@retraind/shared/recipe/relation';
import { versionSatisfies } from '@retraind/shared/recipe/version';
import { Problem } from '@retraind/shared/wire/problems';
import { debFolder } from './deb-folder.ts';
import type { DataTransport } from './transport.ts';

export const fromPackage: DataTransport = {
  name: 'package',
  cached: true,
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
    return await debFolder(apt, found, cache, signal);
  },
};
