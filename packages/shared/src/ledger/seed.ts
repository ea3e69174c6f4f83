// The entries that a farm begins with: models that are known to be closed or too large. Each names public documents where there are
// any; an admin may remove one, and it does not come back.
import { trainingEstimate } from '../cost/training.ts';
import type { LedgerEntry } from './entry.ts';

export type SeedEntry = Omit<LedgerEntry, 'ledgerId' | 'reviewer' | 'removedAt'> & {
  /** Which of them this is, on every farm. */
  key: string;
};

const reviewedAt = new Date('2026-11-22T00:00:00Z');
const expiresAt = new Date('2028-11-22T00:00:00Z');

const entry = (
  key: string,
  said: Pick<LedgerEntry, 'source' | 'reason' | 'detail'> & Partial<LedgerEntry>,
): SeedEntry => ({
  key,
  model: null,
  evidence: [],
  estimate: null,
  reviewedAt,
  expiresAt,
  ...said,
});

export const seedEntries: readonly SeedEntry[] = [
  entry('lc0', {
    source: 'lc0',
    reason: 'data-deleted',
    detail: 'its games of self-play were deleted, 15 TB at least, for want of room',
    evidence: ['https://github.com/LeelaChessZero/lczero-training/issues/122'],
  }),
  entry('leela-zero', {
    source: 'leela-zero',
    reason: 'cost',
    detail: 'its own description speaks of 1700 years on commodity hardware',
    evidence: ['https://github.com/leela-zero/leela-zero'],
  }),
  entry('vosk', {
    source: 'vosk-api',
    reason: 'no-data',
    detail: 'upstream does not distribute or name its training data',
    evidence: [
      'https://github.com/alphacep/vosk-api/issues/719',
      'https://github.com/alphacep/vosk-api/issues/984',
      'https://github.com/alphacep/vosk-api/issues/1433',
    ],
  }),
  entry('dlib-faces', {
    source: 'dlib',
    model: 'dlib_face_recognition_resnet_model_v1',
    reason: 'data-licence',
    detail: 'trained on faces, part of them scraped from the web; the data is not available',
    evidence: [
      'https://github.com/davisking/dlib-models/issues/6',
      'https://github.com/davisking/dlib-models/issues/42',
    ],
  }),
  entry('opencv-haar', {
    source: 'opencv',
    reason: 'no-parameters',
    detail: 'the parameters with which its Haar and LBP cascades were trained were not kept',
    evidence: ['https://github.com/opencv/opencv/issues/5428'],
  }),
  entry('cld2', {
    source: 'cld2',
    reason: 'no-data',
    detail: 'its tables were made from a crawl of the web that was never published',
  }),
  entry('stockfish-nnue', {
    source: 'stockfish',
    reason: 'data-licence',
    detail: 'its nets were trained on hundreds of GB of games under no clear licence',
    evidence: [
      'https://github.com/official-stockfish/nnue-pytorch/issues/229',
      'https://github.com/official-stockfish/Stockfish/pull/4635',
    ],
  }),
  entry('moondream', {
    source: 'moondream',
    reason: 'cost',
    detail:
      'a model for pictures and text of 1.86 billion parameters: a training from scratch takes one large GPU about seven weeks, and a verdict takes three to ten of them',
    evidence: [
      'https://www.analyticsvidhya.com/blog/2024/03/introducing-moondream2-a-tiny-vision-language-model/',
      'https://clarifai.com/microsoft/text-generation/models/phi-1_5',
    ],
    estimate: trainingEstimate({
      parameters: 1.86e9,
      tokens: 150e9,
      basis:
        'N: parameters of Moondream 2, as its introductions say; D: the training tokens of Phi-1.5, the language model that it begins from. Its vision part (SigLIP) and the making of its pictures are not counted',
    }),
  }),
];
