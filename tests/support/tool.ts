// A Debian tool that a test needs: installed where that may be, else the reason for which the test is skipped.
import { ensureTool, type ToolName } from '@retraind/host/debian-tools';
import { Problem } from '@retraind/shared/wire/problems';

export type ProvidedTool = { path: string; absence: false } | { path: null; absence: string };

/** `absence` is what a test gives as its `skip`. */
export async function provideTool(name: ToolName): Promise<ProvidedTool> {
  try {
    return { path: await ensureTool(name), absence: false };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { path: null, absence: `no ${name}: ${error.detail}` };
  }
}
