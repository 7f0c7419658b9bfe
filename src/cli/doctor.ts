/**
 * `dpdk-net doctor`: what of this machine is fine for the stack, what is not, and what mends it.
 * @module
 */
import type { Command } from 'commander';
import { jsonText, print } from './attached.ts';
import type { Finding } from './checks.ts';

const HELP = `
A line for each thing: "ok" is fine; "--" may be wanted and is not there; "!!" must be mended
before anything but the loopback of the stack can run. The line below it is the command.

Exit code: 0 when there is no "!!", else 1.`;

const MARKS = { good: 'ok', note: '--', bad: '!!' } as const;
const FAILED = 1;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .summary('what of this machine is fine, what is not, and what mends it')
    .description(
      'Looks at hugepages, drivers, rights and kernel, and says what mends what is wrong.',
    )
    .option('--json', 'as JSON')
    .exitOverride()
    .addHelpText('after', HELP)
    .action(async ({ json }: { json?: boolean }) => {
      const { examine } = await import('./checks.ts');
      const findings = examine();
      print(json === true ? jsonText(findings) : findingsText(findings));
      if (findings.some(({ verdict }) => verdict === 'bad')) process.exitCode = FAILED;
    });
}

export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, verdict, says, remedy }) => {
      const line = `${MARKS[verdict]}  ${what.padEnd(width)}  ${says}\n`;
      return remedy === undefined ? line : `${line}    ${' '.repeat(width)}  -> ${remedy}\n`;
    })
    .join('');
}
