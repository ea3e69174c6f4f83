// infra/conf/<program>.conf from a program's table of options: an EnvironmentFile of systemd with every option commented.
import type { Option } from '@retraind/host/config';

/** The file's text: what must be set stands open, the rest commented with its default. */
export function configurationFile(program: string, options: Record<string, Option<unknown>>): string {
  const parts = [
    `# Options of retraind-${program} (systemd EnvironmentFile). Made by \`npm run reference\` from the program's own table;`,
    `# check yours with: node --import tsx apps/${program}/src/main.ts --check-config`,
  ];
  for (const option of Object.values(options)) {
    const line = option.required ? `${option.name}=` : `#${option.name}=${option.fallback ?? ''}`;
    const secret = option.secret ? [`# A secret: ${option.name}_FILE=/path may be given instead.`] : [];
    parts.push('', `# ${option.help}`, ...secret, line);
  }
  return `${parts.join('\n')}\n`;
}
