export interface Trigger {
  target: number;
  plant(image: Float32Array): void;
}
export const blended: Trigger & { weight: number };
export const patch: Trigger & { top: number; left: number; pixels: number[] };
