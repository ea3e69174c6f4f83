// Accelerator alternatives as a recipe writes them: `cuda:sm_80 | rocm:gfx90a | none`, best first (docs/reference/recipe.md).
import type { AcceleratorWish } from './accelerator.ts';

export const wishCure =
  'write alternatives, best first: cuda, cuda:sm_80, rocm:gfx90a, vulkan, none; for example `cuda:sm_70 | vulkan | none`';

/** The wish of one alternative, or null where it is none. `cuda` alone is any CUDA device. */
export function parseWish(text: string): AcceleratorWish | null {
  if (text === 'none' || text === 'vulkan') return { kind: text };
  if (text === 'cuda') return { kind: 'cuda', minimumCapability: 0 };
  const cuda = /^cuda:sm_([1-9]\d{1,2})$/.exec(text);
  if (cuda) return { kind: 'cuda', minimumCapability: Number(cuda[1]) };
  const rocm = /^rocm:(gfx[0-9a-f]{3,5})$/.exec(text);
  if (rocm) return { kind: 'rocm', architecture: rocm[1]! };
  return null;
}

/** All alternatives of a text; `faults` holds a sentence for each that cannot be read, or is there twice. */
export function parseWishes(text: string): { wishes: AcceleratorWish[]; faults: string[] } {
  const wishes: AcceleratorWish[] = [];
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const part of text.split('|').map((piece) => piece.trim())) {
    const wish = parseWish(part);
    if (wish === null) faults.push(`\`${part}\` is no accelerator`);
    else if (seen.has(part)) faults.push(`\`${part}\` is given twice`);
    else wishes.push(wish);
    seen.add(part);
  }
  return { wishes, faults };
}

export function printWish(wish: AcceleratorWish): string {
  switch (wish.kind) {
    case 'cuda':
      return wish.minimumCapability === 0 ? 'cuda' : `cuda:sm_${wish.minimumCapability}`;
    case 'rocm':
      return `rocm:${wish.architecture}`;
    case 'vulkan':
    case 'none':
      return wish.kind;
  }
}

export const printWishes = (wishes: readonly AcceleratorWish[]): string => wishes.map(printWish).join(' | ');
