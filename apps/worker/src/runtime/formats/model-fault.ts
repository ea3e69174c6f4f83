// The one error of whatever reads model files.
import { Problem } from '@retraind/shared/wire/problems';

const usualCure = 'fetch the file again, or export the model again';

/** Why a model file is refused: the text is for a person, without a full stop; `cure` says what to do. */
export class ModelFault extends Problem {
  constructor(message: string, cure: string = usualCure) {
    super('invalid-model', message, cure);
  }
}

/** A name out of a foreign file, safe to print: quoted, control characters escaped, cut where it is long. */
export const quoted = (name: string): string => {
  const text = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  // JSON leaves DEL and the C1 controls as they are; a terminal obeys them.
  return text.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
};
