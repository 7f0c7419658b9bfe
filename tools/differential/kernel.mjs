/**
 * The Linux kernel as a target: raw frames over a TAP device of this process's namespace, and a
 * program in a process of its own that does what a sequence says.
 * @module
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Prefix } from '../../dist/base/address.js';
import { openPort } from '../../dist/dpdk/index.js';
import { configureHostSide } from '../../dist/runtime/tap.js';
import { decode } from '../../dist/testing/decode.js';
import { receiveFrames, sendFrame } from '../../dist/testing/frames.js';
import { Kernel, sh } from '../../test/interop/kit/kernel.mjs';
import { Conversation, frameOf } from './conversation.mjs';
import { FIRST_PORT, KERNEL_STEP_MS } from './target.mjs';

const INTERFACE = 'dtap0';
const OURS = { 4: '10.77.0.2', 6: 'fd77::2' };
const THEIRS = { 4: '10.77.0.1', 6: 'fd77::1' };
const FIRST_LISTENER = 6000;
/** Ports of the peer from one play to the next, so that none meets what an earlier one left. */
const PORTS_APART = 1000;
const PLAYS_APART = 50;
const SETTINGS = [
  'tcp_ecn=0',
  // No pacing, so that what may go goes at once.
  'tcp_congestion_control=reno',
  'tcp_syncookies=0',
  'tcp_max_syn_backlog=8192',
  // How often the odd is answered both limit by time: here neither does.
  'tcp_invalid_ratelimit=0',
  'tcp_early_retrans=0',
];
/** The kernel's clock is the machine's: nothing is sent again while a sequence is played. */
const LEAST_RTO = 'rto_min 60s';

export class KernelTarget {
  #kernel = new Kernel();
  #plays = 0;
  /** Of the last play(): which connections began slowly, by the machine's clock alone. */
  slowed = [];

  constructor() {
    this.#port = openPort({ device: `net_tap0,iface=${INTERFACE}`, heapBytes: 1 << 20 });
    this.#link = this.#port.links[0];
    configureHostSide(
      INTERFACE,
      [Prefix.parse(`${THEIRS[4]}/24`), Prefix.parse(`${THEIRS[6]}/64`)],
      this.#link.mac,
    );
    sh(`sysctl -qw ${SETTINGS.map((setting) => `net.ipv4.${setting}`).join(' ')}`);
    sh('sysctl -qw net.core.somaxconn=8192');
    const text = (mac) => [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    this.#macs = {
      srcMac: text(this.#link.mac),
      dstMac: readFileSync(`/sys/class/net/${INTERFACE}/address`, 'utf8').trim(),
    };
    for (const ours of Object.values(OURS)) {
      sh(`ip neighbor replace ${ours} lladdr ${this.#macs.srcMac} dev ${INTERFACE} nud permanent`);
    }
    sh(`ip route change 10.77.0.0/24 dev ${INTERFACE} src ${THEIRS[4]} ${LEAST_RTO}`);
    sh(`ip -6 route add fd77::/64 dev ${INTERFACE} metric 1 ${LEAST_RTO}`);
  }

  #port;
  #link;
  #macs;

  /** Plays all sequences at once, step by step; the answers to each step of each. */
  async play(sequences, { version, role }) {
    const turn = this.#plays++;
    const dstPort = role === 'listener' ? FIRST_LISTENER + turn : 0;
    const first = FIRST_PORT + (turn % PLAYS_APART) * PORTS_APART;
    const ends = { src: OURS[version], dst: THEIRS[version], dstPort, ...this.#macs };
    await this.#kernel.run(serve, { host: THEIRS[version], port: dstPort });
    const talks = sequences.map((_, index) => new Conversation(first + index));
    const heard = sequences.map(() => []);
    const steps = Math.max(...sequences.map(({ length }) => length));
    for (let at = 0; at < steps; at++) {
      const acts = [];
      for (const [index, sequence] of sequences.entries()) {
        const step = sequence[at];
        if (step === undefined) continue;
        const talk = talks[index];
        if (step.program === undefined) this.#send(frameOf(talk, step, ends), talks);
        else acts.push({ port: talk.port, what: step.program });
      }
      if (acts.length > 0) await this.#kernel.run(act, { host: OURS[version], acts });
      const end = performance.now() + KERNEL_STEP_MS;
      while (performance.now() < end) {
        this.#collect(talks);
        await sleep(1);
      }
      await this.#kernel.run(settle);
      this.#collect(talks);
      for (const [index, sequence] of sequences.entries()) {
        if (at < sequence.length) heard[index].push(talks[index].answers());
      }
    }
    await this.#kernel.run(leave);
    // Two SYNs lost are congestion to Linux: it starts with a cwnd of one segment.
    this.slowed = talks.map(({ synsAgain }) => synsAgain > 1);
    return heard;
  }

  #send(frame, talks) {
    while (!sendFrame(this.#link, frame, { sums: false })) this.#collect(talks);
  }

  #collect(talks) {
    for (;;) {
      const frames = receiveFrames(this.#link);
      if (frames.length === 0) return;
      for (const { bytes } of frames) {
        const decoded = decode(bytes);
        if (decoded.tcp === undefined) continue;
        const talk = talks[decoded.tcp.dstPort - talks[0].port];
        if (talk === undefined) continue;
        talk.targetPort ??= decoded.tcp.srcPort;
        talk.frames.push(decoded);
      }
    }
  }

  close() {
    this.#kernel.close();
    this.#port.close();
  }
}

/** The program: it takes every connection, unless it makes them itself, and reads all there is. */
async function serve({ host, port }, { net, once, kept }) {
  const sockets = new Map();
  const take = (socket, peerPort) => {
    sockets.set(peerPort, socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.resume();
  };
  kept.set('program', { server: null, sockets, take });
  if (port === 0) return;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    take(socket, socket.remotePort);
  });
  kept.get('program').server = server;
  server.listen({ port, host, backlog: 8192 });
  await once(server, 'listening');
}

/** Until the program has taken every connection and read all there is, however slow the machine. */
async function settle(_, { readFileSync, sleep }) {
  const unread = (file) =>
    readFileSync(`/proc/net/${file}`, 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[4])
      .some((queues) => queues !== undefined && !queues.endsWith(':00000000'));
  for (let turn = 0; turn < 200 && (unread('tcp') || unread('tcp6')); turn++) await sleep(5);
  // What it was told in the meantime it acts on in this turn of its loop.
  await sleep(1);
}

async function act({ host, acts }, { net, kept }) {
  const { sockets, take } = kept.get('program');
  for (const { port, what } of acts) {
    if (what === 'connect') {
      take(net.connect({ host, port, allowHalfOpen: true }), port);
      continue;
    }
    const socket = sockets.get(port);
    if (socket === undefined || socket.destroyed) continue;
    if (what === 'write') {
      if (socket.writable) socket.write(Buffer.alloc(100));
    } else if (what === 'shutdown') socket.end();
    else socket.destroy();
  }
}

async function leave(_, { kept }) {
  const { server, sockets } = kept.get('program');
  for (const socket of sockets.values()) socket.resetAndDestroy();
  server?.close();
}
