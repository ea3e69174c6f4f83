// NVIDIA through nvidia-smi: the XML of `-q -x` tells all but the compute capability and the UUIDs of MIG slices, which have
// commands of their own. A GPU in MIG mode is its slices. nvidia-smi prints no energy counter: power is sampled.
// Sources: nvidia-smi(1); MIG User Guide, "Device Nodes and Capabilities", "CUDA Visible Devices".
import { Problem } from '@retraind/shared/wire/problems';
import { libraryFolders } from './libraries.ts';
import type { Machine } from './machine.ts';
import { capabilityOfChip } from './nvidia-chip.ts';
import { invalidInventory, measure, mostDevices, pciAddress, title, word } from './printed.ts';
import type { Reading, Vendor } from './vendor.ts';
import { at, children, parseXml, textAt, type XmlElement } from './xml.ts';

const mib = 2 ** 20;
/** A device that the tool does not know of by PCI id either. */
const architectureOf = (capability: number | null, pciId: string): string =>
  capability === null ? `pci${pciId}` : `sm${capability}`;

const mebibytes = (where: string, element: XmlElement): number => {
  const value = measure(`${where}: memory`, textAt(element, 'fb_memory_usage', 'total'), 'MiB', {
    least: 0,
    most: 2 ** 30,
  });
  return (value ?? 0) * mib;
};

/** `GPU-…, 8.0` a line. */
const capabilitiesOf = (text: string | undefined): Map<string, number> =>
  new Map(
    (text ?? '').split('\n').flatMap((line) => {
      const found = /^\s*(GPU-[0-9a-f-]{8,64}),\s*(\d{1,2})\.(\d)\s*$/.exec(line);
      return found ? [[found[1]!, Number(found[2]) * 10 + Number(found[3])] as const] : [];
    }),
  );

/** UUID and profile of each slice of a GPU, by its index, from `nvidia-smi -L`. */
const slicesOf = (text: string | undefined): Map<string, { uuid: string; profile: string }> => {
  const slices = new Map<string, { uuid: string; profile: string }>();
  let gpu = '';
  for (const line of (text ?? '').split('\n')) {
    gpu = /^GPU \d+: .*\(UUID: (GPU-[0-9a-f-]{8,64})\)/.exec(line)?.[1] ?? gpu;
    const slice = /^\s+MIG (\S{1,32})\s+Device\s+(\d{1,3}): \(UUID: (MIG-[0-9A-Za-z/-]{8,96})\)/.exec(line);
    if (slice) slices.set(`${gpu} ${slice[2]}`, { uuid: slice[3]!, profile: slice[1]! });
  }
  return slices;
};

/** Errors of memory since the driver was loaded, and repairs that wait or failed. Fields differ by schema: all that say so count. */
const memoryFaults = (where: string, gpu: XmlElement): string[] => {
  const volatile = at(gpu, 'ecc_errors', 'volatile');
  let errors = 0;
  for (const [name, text] of volatile === null ? [] : leaves(volatile)) {
    if (!name.includes('uncorrectable') && name !== 'double_bit') continue;
    errors += measure(`${where}: ${name}`, text, '', { least: 0, most: 1e15 }) ?? 0;
  }
  const says = (sentence: string, ...path: string[]): string[] =>
    textAt(gpu, ...path)?.trim() === 'Yes' ? [sentence] : [];
  return [
    ...(errors > 0 ? [`${errors} uncorrected memory errors since the driver was loaded`] : []),
    ...says('remapping of a memory row failed', 'remapped_rows', 'remapped_row_failure'),
    ...says('a memory row waits to be remapped: reset the device', 'remapped_rows', 'remapped_row_pending'),
    ...says('a memory page waits to be retired: reset the device', 'retired_pages', 'pending_retirement'),
    ...says('the driver asks for a reset', 'gpu_reset_status', 'reset_required'),
  ];
};

const leaves = (element: XmlElement): [string, string][] =>
  Object.entries(element).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  );

const temperatureOf = (where: string, gpu: XmlElement): { celsius: number | null; faults: string[] } => {
  const degrees = (name: string): number | null =>
    measure(`${where}: ${name}`, textAt(gpu, 'temperature', name), 'C', { least: -100, most: 300 });
  const celsius = degrees('gpu_temp');
  const slow = degrees('gpu_temp_slow_threshold');
  const hot = celsius !== null && slow !== null && celsius >= slow;
  return { celsius, faults: hot ? [`${celsius} °C, and it slows down from ${slow} °C`] : [] };
};

const recovery = (gpu: XmlElement): string[] => {
  const action = textAt(gpu, 'gpu_recovery_action')?.trim() ?? 'None';
  return ['None', 'N/A', ''].includes(action) ? [] : [`the driver asks for: ${action.slice(0, 80)}`];
};

const powerOf = (where: string, gpu: XmlElement): Pick<Reading, 'powerWatts' | 'powerLimitWatts'> => {
  const readings = at(gpu, 'gpu_power_readings') ?? at(gpu, 'power_readings') ?? {};
  const first = (...names: string[]): number | null => {
    for (const name of names) {
      const watts = measure(`${where}: ${name}`, textAt(readings, name), 'W', { least: 0, most: 100_000 });
      if (watts !== null) return watts;
    }
    return null;
  };
  return {
    powerWatts: first('instant_power_draw', 'power_draw', 'average_power_draw'),
    powerLimitWatts: first('current_power_limit', 'enforced_power_limit', 'power_limit'),
  };
};

const readQuery = (outputs: Readonly<Record<string, string>>, vulkan: boolean): Reading[] => {
  const log = at(parseXml('nvidia-smi -q -x', outputs.query ?? ''), 'nvidia_smi_log');
  if (log === null) throw invalidInventory('nvidia-smi -q -x prints no nvidia_smi_log.');
  const driver = word('driver_version', textAt(log, 'driver_version'), /^\d+(\.\d+){1,3}$/);
  const cuda = textAt(log, 'cuda_version')?.trim() ?? '';
  const runtime = /^\d+(\.\d+)?$/.test(cuda) ? cuda : null;
  const gpus = children(log, 'gpu');
  const attached = measure('attached_gpus', textAt(log, 'attached_gpus'), '', {
    least: 0,
    most: mostDevices,
  });
  if (attached !== gpus.length) {
    throw invalidInventory(`nvidia-smi says ${attached} GPUs and describes ${gpus.length}.`);
  }
  const capabilities = capabilitiesOf(outputs.capabilities);
  const slices = slicesOf(outputs.list);
  return gpus.flatMap((gpu, index) => {
    const where = `GPU ${index}`;
    const uuid = word(`${where}: uuid`, textAt(gpu, 'uuid'), /^GPU-[0-9a-f-]{8,64}$/);
    const pciId = word(`${where}: pci_device_id`, textAt(gpu, 'pci', 'pci_device_id'), /^[0-9A-F]{8}$/i);
    // nvidia-smi writes device before vendor.
    const capability = capabilities.get(uuid) ?? capabilityOfChip(Number.parseInt(pciId.slice(0, 4), 16));
    const { celsius, faults: heat } = temperatureOf(where, gpu);
    const power = powerOf(where, gpu);
    const whole: Reading = {
      device: {
        deviceId: uuid,
        vendor: 'nvidia',
        name: title(`${where}: product_name`, textAt(gpu, 'product_name')),
        architecture: architectureOf(capability, `${pciId.slice(4)}${pciId.slice(0, 4)}`.toLowerCase()),
        memoryBytes: mebibytes(where, gpu),
        driver,
        runtime,
        sliceOf: null,
        vulkan,
        faults: [...memoryFaults(where, gpu), ...recovery(gpu), ...heat],
        temperatureCelsius: celsius,
        energy: power.powerWatts !== null ? 'sampled' : power.powerLimitWatts !== null ? 'estimated' : null,
      },
      pciAddress: pciAddress(`${where}: pci_bus_id`, textAt(gpu, 'pci', 'pci_bus_id')),
      index,
      minor: measure(`${where}: minor_number`, textAt(gpu, 'minor_number'), '', { least: 0, most: 1_023 }),
      instances: null,
      ...power,
      energyWattHours: null,
    };
    return textAt(gpu, 'mig_mode', 'current_mig')?.trim() === 'Enabled'
      ? sliced(where, gpu, whole, slices)
      : [whole];
  });
};

/** The power of a GPU cannot be told apart by slice: nothing tells their energy. */
const sliced = (
  where: string,
  gpu: XmlElement,
  whole: Reading,
  known: ReadonlyMap<string, { uuid: string; profile: string }>,
): Reading[] =>
  children(at(gpu, 'mig_devices') ?? {}, 'mig_device').map((slice) => {
    const number = (name: string): number =>
      measure(`${where}: ${name}`, textAt(slice, name), '', { least: 0, most: 127 }) ?? 0;
    const instances = { gpu: number('gpu_instance_id'), compute: number('compute_instance_id') };
    const { deviceId, name } = whole.device;
    const listed = known.get(`${deviceId} ${number('index')}`);
    const errors =
      measure(
        `${where}: slice sram_uncorrectable`,
        textAt(slice, 'ecc_error_count', 'volatile_count', 'sram_uncorrectable'),
        '',
        { least: 0, most: 1e15 },
      ) ?? 0;
    return {
      ...whole,
      device: {
        ...whole.device,
        // The name of drivers before 470, which the CUDA guide's table of environment variables names to this day; never tried here.
        deviceId: listed?.uuid ?? `MIG-${deviceId}/${instances.gpu}/${instances.compute}`,
        name: `${name} MIG ${listed?.profile ?? `${instances.gpu}/${instances.compute}`}`,
        memoryBytes: mebibytes(`${where} slice`, slice),
        sliceOf: deviceId,
        faults: [
          ...whole.device.faults,
          ...(errors > 0
            ? [`${errors} uncorrected memory errors in the slice since the driver was loaded`]
            : []),
        ],
        energy: null,
      },
      instances,
      powerWatts: null,
      powerLimitWatts: null,
    };
  });

/** Minor number of the device file that lets a program into an instance. */
const capabilityMinor = (machine: Machine, path: string): number | null => {
  const found = /^DeviceFileMinor:\s*(\d+)$/m.exec(machine.text(path) ?? '');
  return found ? Number(found[1]) : null;
};

const nodesOf = (reading: Reading, machine: Machine): string[] => {
  if (reading.minor === null) {
    throw new Problem('device-fault', `The driver names no device file for ${reading.device.name}.`);
  }
  const nodes = [`/dev/nvidia${reading.minor}`];
  if (reading.instances === null) return nodes;
  const { gpu, compute } = reading.instances;
  const base = `/proc/driver/nvidia/capabilities/gpu${reading.minor}/mig/gi${gpu}`;
  for (const path of [`${base}/access`, `${base}/ci${compute}/access`]) {
    const minor = capabilityMinor(machine, path);
    if (minor === null) {
      throw new Problem('device-fault', `${path} names no device file for ${reading.device.name}.`);
    }
    nodes.push(`/dev/nvidia-caps/nvidia-cap${minor}`);
  }
  return nodes;
};

export const nvidia: Vendor = {
  name: 'nvidia',
  vulkanDrivers: ['nvidia'],
  async look(machine) {
    if (!machine.exists('/proc/driver/nvidia/version') && !machine.exists('/dev/nvidiactl')) return null;
    const query = await machine.ask('nvidia-smi', ['-q', '-x']);
    if (query === null) {
      throw new Problem(
        'tool-missing',
        'The NVIDIA driver is loaded, and nvidia-smi is not installed.',
        'Install nvidia-smi of the driver’s own version.',
      );
    }
    const asked = (args: string[]): Promise<string | null> =>
      machine.ask('nvidia-smi', args).catch(() => null);
    return {
      query,
      list: (await asked(['-L'])) ?? '',
      // A driver before 510 knows no such field.
      capabilities: (await asked(['--query-gpu=uuid,compute_cap', '--format=csv,noheader'])) ?? '',
    };
  },
  read: readQuery,
  async grant(readings, machine) {
    const shared = ['/dev/nvidiactl', '/dev/nvidia-uvm'];
    const nodes = [...new Set([...shared, ...readings.flatMap((reading) => nodesOf(reading, machine))])];
    const folders = await libraryFolders(machine, ['libcuda.so.1', 'libnvidia-ml.so.1']);
    const ids = readings.map(({ device }) => device.deviceId).join(',');
    return {
      nodes: nodes.map((path) => ({ source: machine.at(path), target: path })),
      readable: folders.outside,
      environment: {
        CUDA_VISIBLE_DEVICES: ids,
        CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
        ROCR_VISIBLE_DEVICES: '',
        ...folders.environment,
      },
    };
  },
};
