// The entry of the built folder (build.mjs): lib/main.mjs beside lib/retrain-tfjs.mjs.
import { main } from './main.ts';

process.exitCode = await main(process.argv.slice(2), new URL('./retrain-tfjs.mjs', import.meta.url).href);
