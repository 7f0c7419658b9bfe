#!/usr/bin/env node
/**
 * The command `dpdk-net`.
 *
 * Exit codes: 0 it went well; 1 the program failed, or the stack could not start; 2 the command
 * line or the configuration is wrong (nothing was started).
 * @module
 */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/problems.ts';
import { AttachError } from '../control/client.ts';
import { version } from '../control/version.ts';
import { addCaptureCommand } from './capture.ts';
import { addCompletionCommand } from './completion.ts';
import { addConfigCommand } from './config.ts';
import { addConnectionsCommand } from './connections.ts';
import { addDevicesCommand } from './devices.ts';
import { addDoctorCommand } from './doctor.ts';
import { StartError, UsageError } from './errors.ts';
import { addFlowsCommand } from './flows.ts';
import { addLcoresCommand } from './lcores.ts';
import { addNeighborsCommand } from './neighbors.ts';
import { configOptions } from './options.ts';
import { addQueuesCommand } from './queues.ts';
import { addReloadCommand } from './reload.ts';
import { addStartCommand } from './start.ts';
import { addStatsCommand } from './stats.ts';
import { addTopCommand } from './top.ts';
import { addTraceCommand } from './trace.ts';

const FAILED = 1;
const WRONG_USAGE = 2;

const RUN_HELP = `
The program is an ordinary one: its node:net, http, https, tls, dgram and fetch are carried by
the stack instead of the kernel. Addresses in [routes] kernel stay with the kernel (127.0.0.0/8
and ::1 unless the configuration says otherwise), and so do Unix sockets and pipes.

Examples:
  dpdk-net run server.js
  dpdk-net run --config other.toml server.js --port 8080
  dpdk-net run --set network.mtu=9000 --set tcp.no_delay=true server.js
  dpdk-net run --queues 4 server.js                        (the program once for each queue)
  dpdk-net run --set dpdk.port=loopback --set routes.kernel=[] server.js     (no device at all)

A least configuration (dpdk-net.toml):
  [dpdk]
  vdev = "net_tap0,iface=dtap0"
  [network]
  ip = "10.77.0.2/24"

All keys are in docs/configuration.md. An error in the file names its line and what was meant.

Ctrl-C (SIGINT) and SIGTERM: the program's own handlers run, as under Node. If it has none, every
connection is ended in order (FIN, or RST after two seconds), the device is closed, exit code 0.`;

const PING_HELP = `
Examples:
  dpdk-net ping 10.77.0.1
  dpdk-net ping --count 3 --size 4000 fd77::1
  dpdk-net ping --set dpdk.port=loopback --set routes.kernel=[] --count 1 ::1

Exit code: 0 when there was a reply, 1 when there was none, 2 when the command line or the
configuration is wrong.`;

const program = new Command('dpdk-net')
  .description('A userspace TCP/IP stack for Node.js on DPDK.')
  .version(version)
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText('after', '\n`dpdk-net help COMMAND` tells more of each.');

configOptions(program.command('run'))
  .summary('run an unmodified program on the stack')
  .description('Runs an unmodified Node program on the stack.')
  .argument('<program>', 'the JavaScript file to run')
  .argument('[args...]', 'arguments for the program')
  .option('-n, --queues <number>', 'run it once per queue, each in a worker with its own stack')
  .option('-q, --quiet', 'do not say what runs')
  .option('--dry-run', 'only say what would be done: queues, cores, addresses, listeners')
  .passThroughOptions()
  .exitOverride()
  .addHelpText('after', RUN_HELP)
  .action(async (file: string, args: string[], options: RunOptions) => {
    const { run } = await import('./run.ts');
    await run(file, args, {
      config: options.config ?? null,
      settings: [...options.set, ...queueSettings(options)],
      quiet: options.quiet ?? false,
      dryRun: options.dryRun ?? false,
      version,
    });
  });

configOptions(program.command('ping'))
  .summary('ping an address from the stack')
  .description('Sends echo requests (ICMP, ICMPv6) from the stack and tells what comes back.')
  .argument('<address>', 'an IPv4 or IPv6 address')
  .option('-n, --count <number>', 'requests to send; 0: until Ctrl-C', '0')
  .option('--size <bytes>', 'payload of each request', '56')
  .option('-i, --interval <seconds>', 'from one request to the next', '1')
  .option('--json', 'one JSON object per line')
  .exitOverride()
  .addHelpText('after', PING_HELP)
  .action(async (address: string, options: PingCommandOptions) => {
    const { config = null, set, count, size, interval, json = false } = options;
    const { ping } = await import('./ping.ts');
    process.exitCode = await ping(address, { config, settings: set, count, size, interval, json });
  });

interface PingCommandOptions {
  config?: string;
  set: string[];
  count: string;
  size: string;
  interval: string;
  json?: boolean;
}

interface RunOptions {
  config?: string;
  set: string[];
  queues?: string;
  quiet?: boolean;
  dryRun?: boolean;
}

addStartCommand(program, version);
addConfigCommand(program);
addQueuesCommand(program);
addConnectionsCommand(program);
addNeighborsCommand(program);
addFlowsCommand(program);
addReloadCommand(program);
addStatsCommand(program);
addLcoresCommand(program);
addDevicesCommand(program);
addTopCommand(program);
addTraceCommand(program);
addCaptureCommand(program);
addDoctorCommand(program);
addCompletionCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints what has to be printed; commander has printed its own complaints already. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  const isUsage = error instanceof ConfigError || error instanceof UsageError;
  if (isUsage || error instanceof StartError || error instanceof AttachError) {
    process.stderr.write(`dpdk-net: ${error.message}\n`);
    return isUsage ? WRONG_USAGE : FAILED;
  }
  throw error;
}

/** --queues N is a shorter --set queues.count=N. */
function queueSettings({ queues }: RunOptions): string[] {
  return queues === undefined ? [] : [`queues.count=${queues}`];
}
