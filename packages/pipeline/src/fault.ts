// What goes wrong in a recipe, told to a person: what happened, and the cure. `retrain-tfjs` prints it without a stack and
// ends with 1 (blame: recipe). Anything else that is thrown is a bug and shows its stack.

/** An error whose text is meant for the recipe's author. */
export class RecipeFault extends Error {
  override readonly name = 'RecipeFault';
  readonly cure: string;

  constructor(message: string, cure: string, options?: { cause?: unknown }) {
    super(message, options);
    this.cure = cure;
  }
}
