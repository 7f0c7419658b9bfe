/**
 * `dpdk-net reload`: a running process reads its configuration again.
 * @module
 */
import type { Command } from 'commander';
import type { Change } from '../config/reload.ts';
import { type AttachOptions, attachOptions, printList } from './attached.ts';

const HELP = `
What can change while it runs holds at once, and no connection is lost: flow rules, groups, the
kernel's routes, most of [tcp] (for connections to come), [shutdown] and [workers] restart. The
rest is named, and holds when the program is started again. A file that is wrong changes nothing.

SIGHUP does the same, unless the program listens for it or was started on a terminal.`;

export function addReloadCommand(program: Command): void {
  attachOptions(program.command('reload'))
    .summary('have a running process read its configuration again')
    .description('Has a running process read its configuration again, and tells what changed.')
    .addHelpText('after', HELP)
    .action((options: AttachOptions) => printList<Change>('reload', {}, options, changesText));
}

/** One line for each. */
export function changesText(changes: readonly Change[]): string {
  if (changes.length === 0) return 'nothing has changed\n';
  return changes
    .map(({ key, from, to, when }) => {
      const holds = when === 'now' ? 'holds now' : 'holds after a restart';
      return `${key}: ${valueText(from)} -> ${valueText(to)} (${holds})\n`;
    })
    .join('');
}

function valueText(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
