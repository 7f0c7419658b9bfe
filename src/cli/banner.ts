/**
 * What runs, for people: printed when the stack is open, and when it has ended.
 * @module
 */
import type { DeviceSummary } from '../runtime/open-device.ts';
import type { CloseReport, RunningStack } from '../runtime/open-stack.ts';

/** Several lines: the device, the addresses, who does what, what stays with the kernel. */
export function banner(
  version: string,
  { config, device }: Pick<RunningStack, 'config' | 'device'>,
): string {
  const { network, routes } = config;
  const rows: [string, string][] =
    device === null
      ? [['device', 'none: only the loopback of the stack itself']]
      : deviceRows(device, config.tap.hostAddresses.join(' '));
  if (config.queues.count > 1) rows.push(['queues', `${config.queues.count}, a worker for each`]);
  if (network.addresses.length > 0) rows.push(['address', network.addresses.join('  ')]);
  if (network.gateways.length > 0) rows.push(['gateway', network.gateways.join('  ')]);
  const kernel = routes.kernel.length === 0 ? 'nothing' : routes.kernel.join('  ');
  rows.push(['kernel', `${kernel} (what the stack leaves to it)`]);
  const lines = rows.map(([name, text]) => `  ${name.padEnd(10)}${text}`);
  return `dpdk-net ${version} on ${runtime()}\n${lines.join('\n')}\n`;
}

function deviceRows(device: DeviceSummary, hostAddresses: string): [string, string][] {
  const { txChecksum, rxChecksum, segmentation } = device.features;
  const rows: [string, string][] = [
    ['device', `${device.name}, driver ${device.driver}, MAC ${device.mac}, MTU ${device.mtu}`],
    [
      'features',
      `checksums sent: ${txChecksum}, checksums received: ${rxChecksum}, segmentation: ${segmentation}`,
    ],
  ];
  if (device.hostInterface !== null) {
    rows.push(['host', `interface ${device.hostInterface} ${hostAddresses}`.trimEnd()]);
  }
  for (const notice of device.notices) rows.push(['note', notice]);
  return rows;
}

function runtime(): string {
  const { bun, deno, node } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno !== undefined ? `Deno ${deno}` : `Node ${node}`;
}

/** One line: how the connections ended, and what is left. */
export function farewell(report: CloseReport): string {
  const { open, reset, left, slots, ms } = report;
  const told =
    open === 0 ? 'no connection was open' : `${open} connections ended, ${reset} of them reset`;
  const rest = `${left.connections} connections, ${left.timers} timers, ${slots} slots`;
  return `dpdk-net: ${told}, in ${Math.round(ms)} ms; left: ${rest}\n`;
}
