// Intel through xpu-smi's JSON, one command for the list and one a device, and the kernel's hwmon for energy. What is not a
// data-centre or Arc board (the GPU inside a CPU) is left alone: xpu-smi does not list it.
// Sources: xpu-smi user guide; Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon (energy1_input in microjoules).

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

const listOf = (outputs: Outputs): Record<string, unknown>[] => {
  const list = printedJson('xpu-smi discovery', outputs.discovery ?? '').device_list;
  if (!Array.isArray(list)) throw invalidInventory('xpu-smi discovery prints no device_list.');
  if (list.length > mostDevices) throw invalidInventory(`xpu-smi tells of ${list.length} devices.`);
  return list.map((entry, index) => object(`xpu-smi: device ${index}`, entry));
};

const numberOf = (entry: Record<string, unknown>): number => {
  const number = measure('xpu-smi: device_id', field(entry, 'device_id'), '', {
    least: 0,
    most: mostDevices,
  });
  if (number === null || !Number.isInteger(number))
    throw invalidInventory('xpu-smi lists a device without device_id.');
  return number;
};

const read = (outputs: Outputs, vulkan: boolean): Reading[] =>
  listOf(outputs).map((entry, index) => {
    const number = numberOf(entry);
    const where = `device ${number}`;
    const detailText = outputs[`device${number}`];
    const detail = detailText === undefined ? {} : printedJson(`xpu-smi discovery -d ${number}`, detailText);
    const address = pciAddress(`${where}: pci_bdf_address`, field(entry, 'pci_bdf_address'));
    const chip = word(`${where}: pci_device_id`, field(entry, 'pci_device_id'), /^0x[0-9a-f]{1,4}$/i)
      .slice(2)
      .toLowerCase()
      .padStart(4, '0');
    const memory = measure(`${where}: memory`, field(detail, 'memory_physical_size_byte'), '', {
      least: 0,
      most: mostBytes,
    });
    if (memory !== null && !Number.isSafeInteger(memory))
      throw invalidInventory(`${where}: memory is ${memory}.`);
    const energy = measure(`${where}: energy1_input`, outputs[`energy ${address}`], '', {
      least: 0,
      most: 1e18,
    });
    const driver = field(detail, 'driver_version');
    const firmware = field(detail, 'gfx_firmware_status') ?? 'normal';
    return {
      device: {
        deviceId: address,
        vendor: 'intel',
        name: title(`${where}: device_name`, field(entry, 'device_name')),
        architecture: `pci8086${chip}`,
        // 0 where the details are not there: a run that asks for memory does not fit.
        memoryBytes: memory ?? 0,
        driver: driver === undefined ? null : title(`${where}: driver_version`, driver).slice(0, 128),
        runtime: null,
        sliceOf: null,
        vulkan,
        faults:
          firmware === 'normal' || firmware === '' ? [] : [`its firmware says ${firmware.slice(0, 80)}`],
        temperatureCelsius: null,
        energy: energy === null ? null : 'counter',
      },
      pciAddress: address,
      index,
      minor: null,
      instances: null,
      powerWatts: null,
      powerLimitWatts: null,
      energyWattHours: energy === null ? null : energy / microjoulesAWattHour,
    };
  });

const energyText = (machine: Machine, address: string): string | null => {
  const folder = `/sys/bus/pci/devices/${address}/hwmon`;
  const [monitor] = machine.names(folder);
  return monitor === undefined ? null : machine.text(`${folder}/${monitor}/energy1_input`);
};

export const intel: Vendor = {
  name: 'intel',
  vulkanDrivers: ['intel'],
  async look(machine) {
    const hasIntel = machine
      .names('/sys/class/drm')
      .some((card) => machine.text(`/sys/class/drm/${card}/device/vendor`) === '0x8086');
    if (!hasIntel) return null;
    const discovery = await machine.ask('xpu-smi', ['discovery', '-j']);
    if (discovery === null) return null;
    const outputs: Record<string, string> = { discovery };
    for (const entry of listOf({ discovery })) {
      const number = numberOf(entry);
      const detail = await machine.ask('xpu-smi', ['discovery', '-d', String(number), '-j']);
      if (detail !== null) outputs[`device${number}`] = detail;
      const address = pciAddress('pci_bdf_address', field(entry, 'pci_bdf_address'));
      const energy = energyText(machine, address);
      if (energy !== null) outputs[`energy ${address}`] = energy;
    }
    return outputs;
  },
  read,
  async grant(readings, machine) {
    const folders = await libraryFolders(machine, ['libze_loader.so.1', 'libze_intel_gpu.so.1']);
    return {
      nodes: readings.map((reading) => renderNode(machine, reading)),
      readable: [...sysfsOf(machine, readings, []), ...folders.outside],
      environment: {
        CUDA_VISIBLE_DEVICES: '',
        ROCR_VISIBLE_DEVICES: '',
        // Level Zero counts what it can open, from 0.
        ZE_AFFINITY_MASK: readings.map((_, index) => index).join(','),
        ...folders.environment,
      },
    };
  },
};
