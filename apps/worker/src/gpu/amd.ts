// AMD through rocm-smi's JSON, and the kernel (KFD topology, RAS counters) for what rocm-smi tells in words that changed: the
// architecture. Sources: rocm-smi --help; Documentation/gpu/amdgpu (RAS); kfd_topology.c (gfx_target_version).
import { Problem } from '@retraind/shared/wire/problems';
import { libraryFolders } from './libraries.ts';
import type { Machine } from './machine.ts';
import {
  field,
  invalidInventory,
  measure,
  microjoulesAWattHour,
  mostBytes,
  mostDevices,
  object,
  pciAddress,
  printedJson,
  title,
  word,
} from './printed.ts';
import { renderNode, sysfsOf } from './render-node.ts';
import type { Outputs, Reading, Vendor } from './vendor.ts';

const topology = '/sys/class/kfd/kfd/topology/nodes';

/** Architectures of the Instinct boards that rocm-smi before 6.1 does not name. Source: the PCI ID database, ROCm's table of GPUs. */
const instinct: Readonly<Record<string, string>> = {
  '66a0': 'gfx906',
  '66a1': 'gfx906',
  '738c': 'gfx908',
  '738e': 'gfx908',
  '7408': 'gfx90a',
  '740c': 'gfx90a',
  '740f': 'gfx90a',
  '74a0': 'gfx942',
  '74a1': 'gfx942',
};

/** 90010 is gfx90a: major in decimal, minor and stepping one hex digit each. */
export const gfxOf = (version: number): string =>
  `gfx${Math.floor(version / 10_000)}${(Math.floor(version / 100) % 100).toString(16)}${(version % 100).toString(16)}`;

/** Architecture of each device, by PCI address, from KFD: blocks of `name value` lines, parted by empty ones. */
const kfdArchitectures = (text: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const block of text.split('\n\n')) {
    const fields = new Map(block.split('\n').map((line) => line.trim().split(' ', 2) as [string, string]));
    const number = (name: string): number => Number(fields.get(name) ?? 0);
    const version = number('gfx_target_version');
    if (number('vendor_id') !== 0x1002 || !(version > 0 && version < 1_000_000)) continue;
    const location = number('location_id');
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
    const address = `${hex(number('domain'), 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`;
    found.set(address, gfxOf(version));
  }
  return found;
};

/** rocm-smi 2.3 joins the decimal parts: its gfx9008 is gfx908. */
const printedArchitecture = (text: string | undefined): string | null => {
  const joined = /^gfx9(\d)(\d\d)$/.exec(text ?? '');
  if (joined) return `gfx9${joined[1]}${Number(joined[2]).toString(16)}`;
  return /^gfx[0-9a-f]{3,5}$/.test(text ?? '') ? text! : null;
};

const read = (outputs: Outputs, vulkan: boolean): Reading[] => {
  const printed = printedJson('rocm-smi', outputs.rocmSmi ?? '');
  const system = object('rocm-smi: system', printed.system ?? {});
  const driver = field(system, 'Driver version');
  const architectures = kfdArchitectures(outputs.kfd ?? '');
  const names = Object.keys(printed).filter((name) => /^card\d{1,3}$/.test(name));
  if (names.length > mostDevices) throw invalidInventory(`rocm-smi tells of ${names.length} devices.`);
  names.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
  return names.map((name, index) => {
    const card = object(`rocm-smi: ${name}`, printed[name]);
    const number = (label: string, most: number): number | null =>
      measure(`${name}: ${label}`, field(card, label), '', { least: 0, most });
    const address = pciAddress(`${name}: PCI Bus`, field(card, 'PCI Bus'));
    const pci = word(
      `${name}: Device ID`,
      field(card, 'Device ID') ?? field(card, 'GPU ID'),
      /^0x[0-9a-f]{4}$/i,
    );
    const chip = pci.slice(2).toLowerCase();
    const unique = /^0x([0-9a-f]{1,16})$/i.exec(field(card, 'Unique ID') ?? '')?.[1];
    const memory = number('VRAM Total Memory (B)', mostBytes);
    if (memory !== null && !Number.isSafeInteger(memory))
      throw invalidInventory(`${name}: VRAM is ${memory}.`);
    const watts =
      number('Average Graphics Package Power (W)', 100_000) ??
      number('Current Socket Graphics Package Power (W)', 100_000);
    const limit = number('Max Graphics Package Power (W)', 100_000);
    const energy = number('Accumulated Energy (uJ)', 1e18);
    const errors = /^ue:\s*(\d{1,15})$/m.exec(outputs[`ras ${address}`] ?? '');
    const lost = Number(errors?.[1] ?? 0);
    return {
      device: {
        // As ROCR_VISIBLE_DEVICES takes it.
        deviceId: unique === undefined ? address : `GPU-${unique.toLowerCase().padStart(16, '0')}`,
        vendor: 'amd',
        name: title(`${name}: series`, field(card, 'Card Series') ?? field(card, 'Card series')),
        architecture:
          architectures.get(address) ??
          printedArchitecture(field(card, 'GFX Version')) ??
          instinct[chip] ??
          `pci1002${chip}`,
        memoryBytes: memory ?? 0,
        driver: driver === undefined ? null : title('rocm-smi: Driver version', driver).slice(0, 128),
        runtime: null,
        sliceOf: null,
        vulkan,
        faults: lost > 0 ? [`${lost} uncorrected memory errors since the driver was loaded`] : [],
        temperatureCelsius: measure(
          `${name}: temperature`,
          field(card, 'Temperature (Sensor junction) (C)') ?? field(card, 'Temperature (Sensor edge) (C)'),
          '',
          { least: -100, most: 300 },
        ),
        energy:
          energy !== null ? 'counter' : watts !== null ? 'sampled' : limit !== null ? 'estimated' : null,
      },
      pciAddress: address,
      index,
      minor: null,
      instances: null,
      powerWatts: watts,
      powerLimitWatts: limit,
      energyWattHours: energy === null ? null : energy / microjoulesAWattHour,
    };
  });
};

const asked = [
  ...['--showproductname', '--showid', '--showuniqueid', '--showbus', '--showmeminfo', 'vram', '--showtemp'],
  ...['--showpower', '--showmaxpower', '--showenergycounter', '--showdriverversion', '--json'],
];

/** Properties of all nodes that are GPUs, parted by an empty line. */
const kfdText = (machine: Machine): string =>
  machine
    .names(topology)
    .map((node) => machine.text(`${topology}/${node}/properties`) ?? '')
    .filter((text) => /^vendor_id 4098$/m.test(text) && !/^gfx_target_version 0$/m.test(text))
    .join('\n\n');

export const amd: Vendor = {
  name: 'amd',
  vulkanDrivers: ['radeon', 'amd'],
  async look(machine) {
    const kfd = kfdText(machine);
    if (kfd === '') return null;
    const rocmSmi = await machine.ask('rocm-smi', asked);
    if (rocmSmi === null) {
      throw new Problem(
        'tool-missing',
        'The kernel shows a GPU of AMD, and rocm-smi is not installed.',
        'apt-get install rocm-smi',
      );
    }
    const errors = [...kfdArchitectures(kfd).keys()].flatMap((address) => {
      const text = machine.text(`/sys/bus/pci/devices/${address}/ras/umc_err_count`);
      return text === null ? [] : [[`ras ${address}`, text] as const];
    });
    return { rocmSmi, kfd, ...Object.fromEntries(errors) };
  },
  read,
  async grant(readings, machine) {
    const folders = await libraryFolders(machine, ['libhsa-runtime64.so.1', 'libamdhip64.so']);
    const unique = readings.every(({ device }) => device.deviceId.startsWith('GPU-'));
    // The runtime leaves out what it may not open, and counts the rest from 0.
    const ids = readings.map(({ device }, index) => (unique ? device.deviceId : String(index)));
    return {
      nodes: [
        { source: machine.at('/dev/kfd'), target: '/dev/kfd' },
        ...readings.map((reading) => renderNode(machine, reading)),
      ],
      readable: [
        ...sysfsOf(machine, readings, ['/sys/class/kfd', '/sys/devices/virtual/kfd', '/sys/module/amdgpu']),
        ...folders.outside,
      ],
      environment: { CUDA_VISIBLE_DEVICES: '', ROCR_VISIBLE_DEVICES: ids.join(','), ...folders.environment },
    };
  },
};
