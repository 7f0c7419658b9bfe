/**
 * `npm start`: from a bare machine to a web server on our own TCP/IP stack.
 *
 * Sets up, builds, and runs examples/http/server.js through `dpdk-net run` over a TAP device: the
 * kernel sees the interface dtap0 (10.77.0.1, fd77::1), behind it is the stack (10.77.0.2, fd77::2).
 * When the page has been fetched once, the last line is `ready http://10.77.0.2:8080/`. Where there
 * can be no TAP device the same program is served over the stack's own loopback, inside one
 * process, and fetched there.
 * @module
 */
import { spawn } from 'node:child_process';
import { build } from './build.mjs';
import { fail } from './house/command.mjs';
import { at } from './house/root.mjs';
import { setup } from './setup.mjs';

const PAGE = 'http://10.77.0.2:8080/';
const PAGE_V6 = 'http://[fd77::2]:8080/';
/** How long the page may take to appear. */
const PATIENCE_MS = 30_000;
/** How long the server may take to act on a signal of its own before ours is passed on. */
const FORWARD_MS = 100;

const NEXT = `
  curl ${PAGE}
  curl -g '${PAGE_V6}'
  ping 10.77.0.2
  tcpdump -ni dtap0

Ctrl-C ends it.
`;

async function main() {
  const problems = await setup();
  const noAddon = await build();
  const { whyNoTap } = await import('../dist/runtime/tap.js');
  const reason = noAddon ?? whyNoTap();
  if (reason === null) return serveOnTap();
  for (const problem of problems) console.log(`\nnote: ${problem}`);
  console.log(`\nThere can be no network device here: ${reason}`);
  console.log('So the same server runs on the loopback of the stack, and is its own client.\n');
  return serveOnLoopback();
}

async function serveOnTap() {
  const child = run(['--config', at('examples/dpdk-net.toml'), at('examples/http/server.js')]);
  await untilServed(child);
  if (child.exitCode !== null) return;
  console.log(NEXT);
  console.log(`ready ${PAGE}`);
}

function serveOnLoopback() {
  const settings = ['--set', 'dpdk.port=loopback', '--set', 'routes.kernel=[]'];
  run(['--config', '/dev/null', ...settings, at('examples/http/visit.js')]);
}

/** `dpdk-net run`, in a process of its own that shares our terminal. Its end is ours. */
function run(args) {
  const command = [at('lib/cli/main.js'), 'run', ...args];
  const env = { ...process.env, PORT: '8080' };
  const child = spawn(process.execPath, command, {
    env,
    stdio: ['inherit', 'inherit', process.stdout],
  });
  // A terminal signals the server as well; whoever signals only us means it all the same.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => setTimeout(() => child.kill(signal), FORWARD_MS));
  }
  child.once('error', fail);
  child.once('exit', (status) => process.exit(status ?? 1));
  return child;
}

/** Resolves when the page has been fetched through the kernel, the TAP device and the stack. */
async function untilServed(child) {
  const deadline = Date.now() + PATIENCE_MS;
  while (child.exitCode === null) {
    try {
      const response = await fetch(PAGE, { signal: AbortSignal.timeout(2000) });
      await response.text();
      if (response.ok) return;
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline) {
      console.error(`${PAGE} does not answer; see above, and \`ip address show dtap0\``);
      child.kill('SIGTERM');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

main().catch(fail);
