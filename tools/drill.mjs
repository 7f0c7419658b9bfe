/**
 * Runs packetdrill scripts against the stack, under virtual time (docs/packetdrill.md). Build first.
 *
 *     node tools/drill.mjs [path...] [--verbose] [--strict] [--sysctl net.ipv4.tcp_sack=0]...
 *
 * A path is a script or a folder of them; without one, test/packetdrill. Ends with one line of
 * counts and exit status 1 when a script failed or could not be run.
 * @module
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { drill } from '../dist/testing/packetdrill/run.js';
import { at } from './house/root.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    verbose: { type: 'boolean', short: 'v', default: false },
    strict: { type: 'boolean', default: false },
    sysctl: { type: 'string', multiple: true, default: [] },
  },
});

function scriptsIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const inside = join(path, name);
      if (statSync(inside).isDirectory()) return scriptsIn(inside);
      return name.endsWith('.pkt') ? [inside] : [];
    });
}

const counts = { passed: 0, failed: 0, unsupported: 0 };
const paths = positionals.length > 0 ? positionals : [at('test/packetdrill')];
for (const path of paths.flatMap(scriptsIn)) {
  const name = relative('.', path);
  const result = drill(readFileSync(path, 'utf8'), {
    strict: values.strict,
    sysctls: values.sysctl,
  });
  counts[result.status]++;
  if (result.status !== 'passed') console.log(`${name}:${result.line}: ${result.message}`);
  else if (values.verbose) console.log(`${name}: passed`);
  for (const note of result.notes) console.log(`${name}: note: ${note}`);
  if (values.verbose) for (const text of result.printed) console.log(`${name}: ${text}`);
}
const { passed, failed, unsupported } = counts;
console.log(`${passed} passed, ${failed} failed, ${unsupported} not supported`);
process.exitCode = passed > 0 && failed + unsupported === 0 ? 0 : 1;
