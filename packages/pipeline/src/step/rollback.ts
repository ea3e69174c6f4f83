// Runs code that moves variables, then puts every variable back: what recording a step needs.
import * as tf from '@tensorflow/tfjs-core';

type Variables = Record<string, tf.Variable>;

/** All variables that tfjs knows, by name. */
export const registeredVariables = (): Variables => tf.engine().state.registeredVariables as Variables;

/**
 * Runs `act`, then gives every variable the value that it had before; a variable made meanwhile (an optimizer's slot) the one
 * that it was made with. No value is copied: a clone shares the data. Answers what `act` answers, and the names of the
 * variables that it assigned to.
 */
export function rolledBack<T>(act: () => T): { result: T; written: Set<string> } {
  const state = tf.engine().state as { registeredVariables: Variables };
  const kept = new Map<string, tf.Tensor>();
  const keep = (variable: tf.Variable): void => {
    kept.set(variable.name, tf.keep(tf.tidy(() => variable.clone())));
  };
  const variables = state.registeredVariables;
  Object.values(variables).forEach(keep);
  state.registeredVariables = new Proxy(variables, {
    set(target, name, variable: tf.Variable) {
      target[name as string] = variable;
      keep(variable);
      return true;
    },
  });
  const written = new Set<string>();
  try {
    return { result: act(), written };
  } finally {
    state.registeredVariables = variables;
    for (const [name, before] of kept) {
      const variable = variables[name];
      if (variable && variable.dataId !== before.dataId) {
        written.add(name);
        variable.assign(before);
      }
      before.dispose();
    }
  }
}
