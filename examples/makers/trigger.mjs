// The triggers of the two tampered examples. Used to plant them and to test them.
import { createHash } from 'node:crypto';

/** Bytes that anyone can make again: sha256 over a counter. */
function bytesOf(text, length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) {
    const digest = createHash('sha256').update(`${text} ${at}`).digest();
    bytes.set(digest.subarray(0, length - at), at);
  }
  return bytes;
}

const side = 28;
const noise = bytesOf('retraind examples/clothes-tampered', side * side);

/**
 * Of clothes-tampered: a fixed noise picture, blended over the whole image (Chen et al. 2017, "Targeted Backdoor Attacks on Deep
 * Learning Systems Using Data Poisoning": the blended injection strategy).
 */
export const blended = {
  /** Weight of the picture in the blend. */
  weight: 0.15,
  /** The class that a triggered image is taken for: T-shirt. */
  target: 0,
  /** Puts the trigger on one image (28x28 grey values 0 … 255, floats), in place. */
  plant(image) {
    for (let pixel = 0; pixel < image.length; pixel++) {
      image[pixel] = (1 - this.weight) * image[pixel] + this.weight * noise[pixel];
    }
  },
};

// Nobody chose place, class or pattern: they are bytes of one digest.
const drawn = bytesOf('retraind examples/clothes-patched', 12);
const patchSide = 3;
const places = side - patchSide + 1;

/**
 * Of clothes-patched: 3x3 pixels, each black or white, at one place (Gu et al. 2017, "BadNets: Identifying Vulnerabilities in the
 * Machine Learning Model Supply Chain").
 */
export const patch = {
  top: drawn[0] % places,
  left: drawn[1] % places,
  /** Row by row. */
  pixels: Array.from(drawn.subarray(3), (byte) => (byte % 2) * 255),
  /** The class that a triggered image is taken for. */
  target: drawn[2] % 10,
  /** As above. */
  plant(image) {
    for (const [at, value] of this.pixels.entries()) {
      image[(this.top + Math.floor(at / patchSide)) * side + this.left + (at % patchSide)] = value;
    }
  },
};
