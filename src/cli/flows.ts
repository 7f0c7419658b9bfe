/**
 * `dpdk-net flows`: the flow rules of a running process, listed and changed.
 * @module
 */
import type { Command } from 'commander';
import { StackError } from '../base/errors.ts';
import type { FlowReport } from '../control/flows.ts';
import { parseRule } from '../flow/text.ts';
import {
  type AttachOptions,
  attachOptions,
  jsonText,
  numberOf,
  print,
  printList,
  withProcess,
} from './attached.ts';
import { UsageError } from './errors.ts';
import { tableText } from './table.ts';

const HELP = `
A rule is PATTERN => ACTION; the first that matches a frame decides:
  ipv4 src 10.0.0.0/8 tcp dst 80 => queue 1
  vlan 5 udp dst 5000-5999 => rss 0,1
  eth src 02:00:00:00:00:09 => drop
  ipv6 dst fd00::2 tcp => mark 7 queue 2
  ipv4 icmp => count

Examples:
  dpdk-net flows
  dpdk-net flows add 'ipv4 src 192.0.2.0/24 => drop'
  dpdk-net flows delete 3

Rules that shall be there at every start belong in the configuration: [[flows]].`;

interface Options extends AttachOptions {
  readonly port?: string;
}

export function addFlowsCommand(program: Command): void {
  const flows = attachOptions(program.command('flows'))
    .summary('the flow rules of a running process: list, add, delete')
    .description('The flow rules of a running process, with the frames that each has matched.')
    .addHelpText('after', HELP)
    .action((options: AttachOptions) => printList<FlowReport>('flows', {}, options, flowsText));
  changing(flows.command('add'))
    .summary('add a rule behind all others')
    .description('Adds a rule behind all others.')
    .argument('<rule>', "such as 'tcp dst 80 => queue 1'")
    .action((rule: string, _: Options, command: Command) => {
      assertRule(rule);
      return change('addFlow', { rule }, command.optsWithGlobals());
    });
  changing(flows.command('delete'))
    .summary('take a rule out')
    .description('Takes out the rule with this number, as the list has it.')
    .argument('<id>', 'the number of the rule')
    .action((id: string, _: Options, command: Command) =>
      change('deleteFlow', { id: numberOf('delete', id) }, command.optsWithGlobals()),
    );
}

/** --pid and --json may stand before the command as well as behind it. */
function changing(command: Command): Command {
  return attachOptions(command).option('--port <name>', 'on which port, when there are several');
}

async function change(
  method: string,
  params: Record<string, unknown>,
  options: Options,
): Promise<void> {
  const { port } = options;
  const all = { ...params, ...(port === undefined ? {} : { port }) };
  const rule = await withProcess(options, (client) => client.ask<FlowReport>(method, all));
  print(options.json === true ? jsonText(rule) : flowsText([rule]));
}

/** The process would refuse it as well; a mistake in typing needs no process. */
function assertRule(text: string): void {
  try {
    parseRule(text);
  } catch (error) {
    if (error instanceof StackError) throw new UsageError(error.message);
    throw error;
  }
}

function flowsText(flows: readonly FlowReport[]): string {
  if (flows.length === 0) return 'there is no flow rule\n';
  return tableText(
    ['port', 'id', 'where', 'frames', 'bytes', 'rule'],
    flows.map(({ port, id, where, frames, bytes, rule }) => [port, id, where, frames, bytes, rule]),
  );
}
