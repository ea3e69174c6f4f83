// What can keep TensorFlow from being installed, told in two lines: what, and the cure. The exit statuses are the program's
// interface (README.md).

export const statuses = {
  usage: 2,
  platform: 3,
  tools: 4,
  unreachable: 5,
  disk: 6,
  digest: 7,
  build: 8,
  training: 9,
  incomplete: 10,
} as const;

export class InstallFault extends Error {
  override readonly name = 'InstallFault';
  readonly status: number;
  readonly cure: string;

  constructor(kind: keyof typeof statuses, message: string, cure: string) {
    super(message);
    this.status = statuses[kind];
    this.cure = cure;
  }
}

/** What a file system without room throws, as the fault that it is; anything else unchanged. */
export function diskFault(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new InstallFault(
      'disk',
      `the disk of ${folder} is full`,
      'make room, or choose another by --folder PATH',
    );
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR') {
    return new InstallFault(
      'disk',
      `${folder} cannot be written (${code})`,
      'choose another by --folder PATH, or run as its owner',
    );
  }
  return error;
}
