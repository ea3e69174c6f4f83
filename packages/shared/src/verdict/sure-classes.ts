// What a classifier says, and whether it is sure: for counting inputs on which one model stands alone.

/** A model is sure only where its class has more than this probability. */
const sure = 0.9;

/** The most probable class of each row (the lower of equals) of row-major probabilities; -1 - class where it is not sure. */
export const sureClasses = (values: Float32Array, columns: number): Int32Array => {
  const classes = new Int32Array(values.length / columns);
  for (let row = 0, at = 0; row < classes.length; row += 1, at += columns) {
    let best = 0;
    for (let column = 1; column < columns; column += 1) {
      if (values[at + column]! > values[at + best]!) best = column;
    }
    classes[row] = values[at + best]! > sure ? best : -1 - best;
  }
  return classes;
};

/** The class told, sure or not. */
export const classOf = (told: number): number => (told < 0 ? -1 - told : told);
