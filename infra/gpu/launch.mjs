// From a checkout, where the sources are TypeScript.
const tsx = await import('tsx/esm/api').catch(() => null);
if (tsx === null) {
  console.error('install-tfjs-node: the checkout has no dependencies yet\n  type: npm ci');
  process.exit(4);
}
tsx.register();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
