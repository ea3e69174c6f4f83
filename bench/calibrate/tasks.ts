// The tasks of `npm run calibrate`, by name.
import type { Task } from './task.ts';
import { digitsMlp } from './tasks/digits-mlp.ts';
import { fashionCnn } from './tasks/fashion-cnn.ts';
import { fashionMlp } from './tasks/fashion-mlp.ts';
import { race5 } from './tasks/race-5.ts';

export const tasks: readonly Task[] = [fashionCnn, fashionMlp, digitsMlp, race5];

/** Undefined where there is none of this name. */
export const taskNamed = (name: string): Task | undefined => tasks.find((task) => task.name === name);
