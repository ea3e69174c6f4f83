// A recovered trigger as a picture: the pattern under its mask, and the mask beside it.
import type { ImageForm } from '@retraind/shared/verdict/probes';
import { encode } from 'fast-png';

/** Height in pixels that small images are enlarged to, each pixel as a square. */
const height = 112;
/** Between the two, in pixels; grey. */
const gap = 8;
const grey = 128;

/** PNG, RGB. `pattern` lies as a record does, low..high; `mask` is side², 0..1. */
export const triggerPicture = (
  { side, channels, channelsFirst }: ImageForm,
  { mask, pattern }: { mask: Float32Array; pattern: Float32Array },
  { low, high }: { low: number; high: number },
): Uint8Array => {
  const scale = Math.max(1, Math.floor(height / side));
  const [rows, columns] = [side * scale, 2 * side * scale + gap];
  const data = new Uint8Array(rows * columns * 3).fill(grey);
  const level = (cell: number, colour: number): number => {
    // Three channels are colours; of one, two or four the first is shown as grey.
    const channel = channels === 3 ? colour : 0;
    const value = pattern[channelsFirst ? channel * side * side + cell : cell * channels + channel]!;
    return ((value - low) / (high - low)) * mask[cell]! * 255;
  };
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < side * scale; x++) {
      const cell = Math.floor(y / scale) * side + Math.floor(x / scale);
      const left = (y * columns + x) * 3;
      const right = left + (side * scale + gap) * 3;
      for (let colour = 0; colour < 3; colour++) {
        data[left + colour] = Math.round(level(cell, colour));
        data[right + colour] = Math.round(mask[cell]! * 255);
      }
    }
  }
  return encode({ width: columns, height: rows, data, channels: 3, depth: 8 });
};
