// Attributes of operations: from the binding's form to the graph's.
import type { TensorflowBinding } from '../../engine/tensorflow/binding.ts';
import { NotReplayable } from '../not-replayable.ts';
import { recipeLine } from '../recipe-line.ts';
import type { RecordedOp } from './recorder.ts';
import type { Attribute } from './saved-model.ts';

export type AttributeKinds = Map<number, Attribute['kind']>;

export const attributeKinds = (binding: TensorflowBinding): AttributeKinds =>
  new Map(
    (['string', 'int', 'float', 'bool', 'type', 'shape'] as const).map((kind) => [
      binding[`TF_ATTR_${kind.toUpperCase()}`] as number,
      kind,
    ]),
  );

/** Throws NotReplayable, with the operation's name, for a kind of attribute that no graph is written with. */
export function attributesOf(op: RecordedOp, kinds: AttributeKinds): Record<string, Attribute> {
  return Object.fromEntries(
    op.attributes.map(({ name, type, value }) => {
      const kind = kinds.get(type);
      if (!kind)
        throw new NotReplayable(`${op.name}${recipeLine(op.site)} has the attribute ${name} of kind ${type}`);
      return [name, { kind, value } as Attribute];
    }),
  );
}
