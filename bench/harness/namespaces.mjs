/**
 * Network namespaces for the kernel's part: one with a loopback, and two joined by a veth pair.
 * Nothing is made in the machine's own namespace.
 * @module
 */
import { ask } from '../../tools/house/command.mjs';
import { PORTS } from '../programs.mjs';

const PREFIX = 'dpdk-bench';
/**
 * More ports and an early reuse, so that connect-close measures work, not TIME-WAIT. The servers'
 * ports are not among them: a client's connection in TIME-WAIT on one of them would keep the next
 * server from listening for a minute (EADDRINUSE).
 */
const SETTINGS = [
  `echo ${Object.values(PORTS).join(',')} > /proc/sys/net/ipv4/ip_local_reserved_ports`,
  'echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range',
  'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse',
].join(' && ');

function ip(...args) {
  const { status, stderr } = ask('ip', args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
}

export class Namespaces {
  static CLIENT_ADDRESS = '10.98.0.1';
  static SERVER_ADDRESS = '10.98.0.2';
  /** The namespace with a loopback only, and the two ends of the veth pair. */
  loopback;
  client;
  server;

  /** Makes them; `tag` tells several of a process apart. Throws when this needs root, and leaves nothing. */
  constructor(tag = '') {
    const name = `${PREFIX}-${process.pid}-${tag}`;
    this.loopback = `${name}lo`;
    this.client = `${name}a`;
    this.server = `${name}b`;
    removeStale();
    try {
      for (const name of [this.loopback, this.client, this.server]) {
        ip('netns', 'add', name);
        ip('-n', name, 'link', 'set', 'lo', 'up');
        const { status, stderr } = ask('ip', ['netns', 'exec', name, 'sh', '-c', SETTINGS]);
        if (status !== 0) throw new Error(stderr.trim());
      }
      const veth = ['link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0'];
      ip('-n', this.client, ...veth, 'netns', this.server);
      this.#up(this.client, Namespaces.CLIENT_ADDRESS);
      this.#up(this.server, Namespaces.SERVER_ADDRESS);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #up(name, address) {
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'veth0');
    ip('-n', name, 'link', 'set', 'veth0', 'up');
  }

  remove() {
    for (const name of [this.loopback, this.client, this.server]) ask('ip', ['netns', 'del', name]);
  }
}

/** Those of a harness that was killed and could not clean up. */
function removeStale() {
  const { stdout } = ask('ip', ['netns', 'list']);
  for (const [name, pid] of stdout.matchAll(new RegExp(`^${PREFIX}-(\\d+)-\\w+`, 'gm'))) {
    try {
      process.kill(Number(pid), 0);
    } catch {
      ask('ip', ['netns', 'del', name]);
    }
  }
}
