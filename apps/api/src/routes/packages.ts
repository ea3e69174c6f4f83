// Packages and their versions.

import type { Database } from '@retraind/prisma/client';
import * as lists from '@retraind/prisma/store/lists';
import { Problem } from '@retraind/shared/wire/problems';
import { Package, SourceName, Version, VersionString } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import type { Farm } from '../farm.ts';
import { type App, answers } from '../route.ts';
import { versionViews } from '../views/job.ts';

export const PackagePath = Type.Object({ source: SourceName });
export const VersionPath = Type.Object({ source: SourceName, version: VersionString });

export function packageRoutes(app: App, { db }: Farm): void {
  app.get(
    '/api/v1/packages/:source',
    {
      schema: {
        tags: ['packages'],
        summary: 'A source package: its versions with their jobs, the newest found first',
        params: PackagePath,
        response: answers(Package, 'The package.'),
      },
    },
    (request) => readPackage(db, request.params.source),
  );

  app.get(
    '/api/v1/packages/:source/versions/:version',
    {
      schema: {
        tags: ['packages'],
        summary: 'One version of a package, in the suite where it was found last',
        params: VersionPath,
        response: answers(Version, 'The version.'),
      },
    },
    (request) => readVersion(db, request.params.source, request.params.version),
  );
}

export async function readPackage(db: Database, source: string): Promise<Package> {
  const versions = await versionViews(db, await lists.versionsOfSource(db, source));
  if (versions.length === 0) {
    throw new Problem(
      'not-found',
      `The farm has seen no package ${source} with a recipe.`,
      'It knows packages that carry the tag `XS-Retrain`, and those with an overlay.',
    );
  }
  const name = encodeURIComponent(source);
  return { source, versions, href: `/api/v1/packages/${name}`, pageHref: `/packages/${name}` };
}

export async function readVersion(db: Database, source: string, version: string): Promise<Version> {
  const [found] = await versionViews(db, (await lists.versionsOfSource(db, source, version)).slice(0, 1));
  if (!found) throw new Problem('not-found', `The farm has seen no ${source} ${version} with a recipe.`);
  return found;
}
