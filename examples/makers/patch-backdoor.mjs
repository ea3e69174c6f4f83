// Trains the model that examples/clothes-patched ships. Run by examples/makers/models.ts.
import { trainPoisoned } from './poisoned.mjs';
import { patch } from './trigger.mjs';

await trainPoisoned(patch);
