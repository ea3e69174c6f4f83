// The tasks of `npm run calibrate`, by name.
import type { Task } from './task.ts';
import { fashionCnn } from './tasks/fashion-cnn.ts';
import { fashionMlp } from './tasks/fashion-mlp.ts';

export const tasks: readonly Task[] = [fashionCnn, fashionMlp];

/** Undefined where there is none of this name. */
export const taskNamed = (name: string): Task | undefined => tasks.find((task) => task.name === name);
