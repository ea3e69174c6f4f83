// What a recipe asks for and what a slot has. `cuda:sm_80` means compute capability at least 8.0; `rocm:gfx90a` exactly
// that one; `vulkan` any real Vulkan device; `none` a CPU will do.

export type AcceleratorWish =
  | { kind: 'cuda'; minimumCapability: number }
  | { kind: 'rocm'; architecture: string }
  | { kind: 'vulkan' }
  | { kind: 'none' };

/** One way to use a device of a node. Capability 8.0 is 80. */
export type Accelerator = (
  | { kind: 'cuda'; capability: number; name: string; memoryBytes: number }
  | { kind: 'rocm'; architecture: string; name: string; memoryBytes: number }
  | { kind: 'vulkan'; name: string; memoryBytes: number }
) & {
  /** Which device, its place among all of the node, and whether it is a part of one; absent where a person described the node. */
  device?: { deviceId: string; ordinal: number; isSlice?: true };
};
