// CUDA's own libraries: what TensorFlow 2.21 opens at run time, what this machine has, and the wheels that have it else.
// Never yet run on a CUDA device.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Wheel } from './parts.ts';

/** Lowest versions, as TensorFlow's wheel asks for them in its extra `and-cuda`. */
const needed: Readonly<Record<string, string>> = {
  'libcudart.so.12': '12.5.82',
  'libcublas.so.12': '12.5.3.2',
  'libcublasLt.so.12': '12.5.3.2',
  'libcufft.so.11': '11.2.3.61',
  'libcusolver.so.11': '11.6.3.83',
  'libcusparse.so.12': '12.5.1.3',
  'libnvJitLink.so.12': '12.5.82',
  'libcudnn.so.9': '9.3.0',
};

/** Whether dotted version a is at least b; missing parts count as 0. */
export function atLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < right!.length; i++) {
    const difference = (left![i] ?? 0) - right![i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * What of CUDA is missing or too old here, one short phrase each; empty where this machine has it all. `find` answers the
 * real file of a library, e.g. /usr/local/cuda-12.6/lib64/libcudart.so.12.6.77, or null.
 */
export function lacks(find: (soname: string) => string | null): string[] {
  return Object.entries(needed).flatMap(([soname, lowest]) => {
    const path = find(soname);
    if (path === null) return [`${soname} is missing`];
    const version = /\.so\.([\d.]+)$/.exec(path)?.[1] ?? '0';
    return atLeast(version, lowest) ? [] : [`${soname} is ${version}, older than ${lowest}`];
  });
}

/** Looks for a library where the loader does: LD_LIBRARY_PATH, then its cache. */
export function findLibrary(soname: string): string | null {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const beside = folders.map((folder) => join(folder, soname)).find((path) => existsSync(path));
  if (beside) return realpathSync(beside);
  for (const program of ['/sbin/ldconfig', 'ldconfig']) {
    const { stdout } = spawnSync(program, ['-p'], { encoding: 'utf8' });
    const line = stdout?.split('\n').find((text) => text.trim().startsWith(`${soname} `));
    const path = line?.split(' => ')[1];
    if (path) return existsSync(path) ? realpathSync(path) : null;
  }
  return null;
}

/** Whether NVIDIA's driver is here: no wheel has it. */
export const hasDriver = (): boolean => findLibrary('libcuda.so.1') !== null;

interface NvidiaWheel {
  part: string;
  version: string;
  tags: string;
  bytes: number;
  sha256: string;
  files: string[];
}

const modern = 'manylinux_2_27_x86_64';
const older = 'manylinux2014_x86_64.manylinux_2_17_x86_64';
const oldest = 'manylinux2010_x86_64.manylinux_2_12_x86_64';

// Without NCCL (several GPUs), CUPTI (profiler), cuRAND: TensorFlow opens these three only when asked to.
const nvidia: readonly NvidiaWheel[] = [
  {
    part: 'cuda_runtime',
    version: '12.9.79',
    tags: older,
    bytes: 3_493_179,
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    files: ['lib/libcudart.so.12'],
  },
  {
    part: 'cublas',
    version: '12.9.3.13',
    tags: modern,
    bytes: 581_217_458,
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    files: ['lib/libcublas.so.12', 'lib/libcublasLt.so.12'],
  },
  {
    part: 'cufft',
    version: '11.4.1.4',
    tags: older,
    bytes: 200_877_592,
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    files: ['lib/libcufft.so.11'],
  },
  {
    part: 'cusolver',
    version: '11.7.5.82',
    tags: modern,
    bytes: 338_117_415,
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    files: ['lib/libcusolver.so.11'],
  },
  {
    part: 'cusparse',
    version: '12.5.10.65',
    tags: older,
    bytes: 366_465_088,
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    files: ['lib/libcusparse.so.12'],
  },
  {
    part: 'nvjitlink',
    version: '12.9.86',
    tags: oldest,
    bytes: 39_748_338,
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    files: ['lib/libnvJitLink.so.12'],
  },
  {
    part: 'cudnn',
    version: '9.28.0.42',
    tags: modern,
    bytes: 716_538_495,
    sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    files: [
      'lib/libcudnn.so.9',
      ...['adv', 'cnn', 'engines_precompiled', 'engines_runtime_compiled', 'engines_tensor_ir']
        .concat(['ext', 'graph', 'heuristic', 'ops'])
        .map((name) => `lib/libcudnn_${name}.so.9`),
    ],
  },
  {
    // cuDNN compiles some of its kernels when they are first used.
    part: 'cuda_nvrtc',
    version: '12.9.86',
    tags: oldest,
    bytes: 89_568_129,
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    files: ['lib/libnvrtc.so.12', 'lib/libnvrtc-builtins.so.12.9'],
  },
  {
    // ptxas and libdevice, for XLA.
    part: 'cuda_nvcc',
    version: '12.9.86',
    tags: oldest,
    bytes: 40_546_229,
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    files: ['bin/ptxas', 'nvvm/libdevice/libdevice.10.bc'],
  },
];

/** The wheels that give TensorFlow all of CUDA but the driver; its libraries look for them in `$ORIGIN/../nvidia/PART/lib`. */
export const nvidiaWheels: readonly Wheel[] = nvidia.map(({ part, version, tags, bytes, sha256, files }) => {
  const info = `nvidia_${part}_cu12-${version}.dist-info`;
  return {
    project: `nvidia-${part.replaceAll('_', '-')}-cu12`,
    version,
    file: `nvidia_${part}_cu12-${version}-py3-none-${tags}.whl`,
    bytes,
    sha256,
    takes: {
      ...Object.fromEntries(files.map((file) => [`nvidia/${part}/${file}`, `deps/nvidia/${part}/${file}`])),
      [`${info}/licenses/License.txt`]: `licenses/nvidia-${part}.txt`,
    },
  };
});
