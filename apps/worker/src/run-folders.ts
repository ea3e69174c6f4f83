// The folder of one run: everything that a lease makes lies below it and goes with it. What the sandbox sees of it, and
// under which name, is said in steps/train.ts.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface RunFolders {
  root: string;
  /** The .dsc and its tarballs: never mounted while the recipe runs. */
  source: string;
  /** The unpacked source, with the overlay laid over it. */
  tree: string;
  data: string;
  /** $RETRAIN_OUT: nothing but what the recipe writes. */
  out: string;
  home: string;
  metrics: string;
  checkpoint: string;
  /** Shipped files, taken out of the tree. */
  references: string;
  evidence: string;
  records: string;
}

/** Makes the folder anew: what an earlier lease of the same run left is not trusted. */
export const makeRunFolders = async (root: string): Promise<RunFolders> => {
  await rm(root, { recursive: true, force: true });
  const folders: RunFolders = {
    root,
    source: join(root, 'source'),
    tree: join(root, 'tree'),
    data: join(root, 'data'),
    out: join(root, 'out'),
    home: join(root, 'home'),
    metrics: join(root, 'metrics'),
    checkpoint: join(root, 'checkpoint'),
    references: join(root, 'references'),
    evidence: join(root, 'evidence'),
    records: join(root, 'records'),
  };
  for (const [name, folder] of Object.entries(folders)) {
    if (name !== 'tree') await mkdir(folder, { recursive: true, mode: 0o755 });
  }
  return folders;
};
