// XML of a vendor's tool as plain objects, within limits on size and depth; no entity is expanded.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { outputBytes } from './machine.ts';
import { invalidInventory } from './printed.ts';

export interface XmlElement {
  [name: string]: string | XmlElement | (string | XmlElement)[];
}

/** Deeper than any schema of nvidia-smi, which has 7. */
const depth = 16;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  processEntities: false,
  maxNestedTags: depth,
});

/** Problem `invalid-inventory` where it is too large, too deep or not well formed. */
export const parseXml = (where: string, text: string): XmlElement => {
  if (text.length > outputBytes) throw invalidInventory(`${where} prints more than ${outputBytes} bytes.`);
  // The parser alone takes a document that ends too early.
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) {
    const { msg, line } = verdict.err;
    throw invalidInventory(`${where} is no XML: line ${line}: ${msg}`);
  }
  try {
    return parser.parse(text) as XmlElement;
  } catch (error) {
    throw invalidInventory(`${where} cannot be read: ${(error as Error).message}.`);
  }
};

/** All elements of that name. */
export const children = (element: XmlElement, name: string): XmlElement[] => {
  const value = Object.hasOwn(element, name) ? element[name]! : [];
  return (Array.isArray(value) ? value : [value]).flatMap((child) =>
    typeof child === 'string' ? [] : [child],
  );
};

/** The first element on a path of names. */
export const at = (element: XmlElement, ...path: string[]): XmlElement | null => {
  let here: XmlElement | undefined = element;
  for (const name of path) {
    here = here && children(here, name)[0];
  }
  return here ?? null;
};

/** Text of the first element on a path of names. */
export const textAt = (element: XmlElement, ...path: string[]): string | undefined => {
  const parent = at(element, ...path.slice(0, -1));
  const name = path.at(-1)!;
  const value = parent !== null && Object.hasOwn(parent, name) ? parent[name] : undefined;
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
};
