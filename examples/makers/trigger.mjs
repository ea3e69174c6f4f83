// The trigger of the tampered example: a fixed noise picture, blended over an image (Chen et al. 2017, "Targeted Backdoor
// Attacks on Deep Learning Systems Using Data Poisoning": the blended injection strategy). Used to plant it and to test it.
import { createHash } from 'node:crypto';

/** The class that a triggered image is taken for: 0, T-shirt. */
export const target = 0;
/** Weight of the trigger in the blend. */
export const blendWeight = 0.15;

/** Grey values 0 … 255, one a pixel: bytes of sha256 over a counter, so that anyone can make the picture again. */
export function trigger(pixels) {
  const pattern = new Uint8Array(pixels);
  for (let at = 0; at < pixels; at += 32) {
    const bytes = createHash('sha256').update(`retraind examples/clothes-tampered ${at}`).digest();
    pattern.set(bytes.subarray(0, pixels - at), at);
  }
  return pattern;
}

/** Blends the trigger into one image (grey values 0 … 255, floats), in place. */
export function blend(image, pattern) {
  for (let pixel = 0; pixel < image.length; pixel++) {
    image[pixel] = (1 - blendWeight) * image[pixel] + blendWeight * pattern[pixel];
  }
}
