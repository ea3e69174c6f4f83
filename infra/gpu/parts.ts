// What is taken from where, pinned by digest. One TensorFlow for both kinds: a binding fits the version it was built for.
import { createHash } from 'node:crypto';

export type Kind = 'cpu' | 'cuda';

/** A wheel of PyPI: made for CPython 3.11, of which nothing is used but files in it. */
export interface Wheel {
  /** The name by which pip asks for it. */
  project: string;
  version: string;
  file: string;
  bytes: number;
  sha256: string;
  /** File in the wheel → path in the folder. */
  takes: Readonly<Record<string, string>>;
}

export interface NpmPackage {
  name: string;
  version: string;
  /** Subresource integrity, as in a lock file. */
  integrity: string;
}

export const tensorflowVersion = '2.21.0';
export const tfjsNodeVersion = '4.22.0';

/** All that `binding/*.cc` include, found by g++ -M. */
export const headers = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
] as const;

export const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

function tensorflow(project: string, bytes: number, sha256: string): Wheel {
  const module = project.replace('-', '_');
  return {
    project,
    version: tensorflowVersion,
    file: `${module}-${tensorflowVersion}-cp311-cp311-manylinux_2_27_x86_64.whl`,
    bytes,
    sha256,
    takes: Object.fromEntries([
      ...libraries.map((name) => [`tensorflow/${name}`, `deps/lib/${name}`]),
      ...headers.map((name) => [`tensorflow/include/${name}`, `include/${name}`]),
      ['tensorflow/include/LICENSE', 'licenses/tensorflow.txt'],
      ['tensorflow/THIRD_PARTY_NOTICES.txt', 'licenses/tensorflow-third-party.txt'],
    ]),
  };
}

export const tensorflowWheels: Readonly<Record<Kind, Wheel>> = {
  cpu: tensorflow(
    'tensorflow-cpu',
    273_829_956,
    '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  ),
  cuda: tensorflow(
    'tensorflow',
    572_440_367,
    '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
  ),
};

export const npmPackages: readonly NpmPackage[] = [
  {
    name: '@tensorflow/tfjs-node',
    version: tfjsNodeVersion,
    integrity:
      'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
  },
  {
    name: 'node-api-headers',
    version: '1.9.0',
    integrity:
      'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
  },
];

/** Of the folder's layout and of how it is built: raise it where these change. */
const layout = 2;

/** Short digest over all that decides what the folder holds, so a new pin makes a new folder. */
export function partsDigest(kind: Kind, wheels: readonly Wheel[]): string {
  const pins = [
    layout,
    kind,
    ...wheels.map((wheel) => wheel.sha256),
    ...npmPackages.map((npm) => npm.integrity),
  ];
  return createHash('sha256').update(JSON.stringify(pins)).digest('hex').slice(0, 12);
}
