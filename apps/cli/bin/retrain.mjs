#!/usr/bin/env node
// Checked-in launcher: TypeScript is loaded by tsx, nothing is compiled at install.
import { register } from 'tsx/esm/api';

register();
await import('../src/main.ts');
