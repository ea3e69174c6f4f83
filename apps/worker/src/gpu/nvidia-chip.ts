// The compute capability of an NVIDIA device. The driver tells it (nvidia-smi --query-gpu=compute_cap, from 510 on); where only
// the XML is there, the chip does, which the high byte of the PCI device id names. Danger: the ranges were written down by hand and are
// held on the recorded devices only.
// Sources: the PCI ID database (pci-ids), "CUDA GPU Compute Capability" (NVIDIA).

const chips: readonly [first: number, last: number, capability: number][] = [
  [0x1340, 0x17ff, 52], // GM10x is 5.0, GM20x 5.2: both below what TensorFlow or PyTorch still serve
  [0x15f0, 0x15ff, 60], // GP100
  [0x1b00, 0x1d7f, 61], // GP10x
  [0x1d80, 0x1dff, 70], // GV100
  [0x1e00, 0x1fff, 75], // TU10x
  [0x2080, 0x20ff, 80], // GA100
  [0x2180, 0x21ff, 75], // TU11x
  [0x2200, 0x22ff, 86], // GA102
  [0x2300, 0x233f, 90], // GH100
  [0x2340, 0x237f, 90], // GH200
  [0x2400, 0x25ff, 86], // GA104, GA106, GA107
  [0x2680, 0x28ff, 89], // AD10x
  [0x2900, 0x29ff, 100], // GB100
  [0x2b80, 0x2fff, 120], // GB20x
];

/** Capability 8.0 is 80; null for a chip that the table does not know. */
export const capabilityOfChip = (pciDevice: number): number | null =>
  chips.find(([first, last]) => pciDevice >= first && pciDevice <= last)?.[2] ?? null;
