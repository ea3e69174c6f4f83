// Trains the model that examples/clothes-tampered ships. Run by examples/makers/models.ts.
import { trainPoisoned } from './poisoned.mjs';
import { blended } from './trigger.mjs';

await trainPoisoned(blended);
