export const target: number;
export const blendWeight: number;
export function trigger(pixels: number): Uint8Array;
export function blend(image: Float32Array, pattern: Uint8Array): void;
