// JSON.parse keeps the last of two equal keys and says nothing: a file could show one tensor to us and another to the next reader.

/** The first key that an object of a valid JSON text holds twice, or null. */
export const duplicateKey = (text: string): string | null => {
  // For each open bracket: the keys seen, or null in an array.
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const one = text[at];
    if (one === '{') open.push(new Set());
    else if (one === '[') open.push(null);
    else if (one === '}' || one === ']') open.pop();
    if (one !== '"') continue;
    const begin = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    let next = at + 1;
    while (/\s/.test(text[next] ?? '')) next++;
    const keys = open.at(-1);
    if (text[next] !== ':' || !keys) continue;
    // Escapes are undone first: "a" and "\u0061" are one key.
    const key = JSON.parse(text.slice(begin, at + 1)) as string;
    if (keys.has(key)) return key;
    keys.add(key);
  }
  return null;
};
