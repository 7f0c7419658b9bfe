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
const OURS = '10.77.0.2';
const THEIRS = '10.77.0.1';
const FIRST_LISTENER = 6000;
const SETTINGS = [
  'tcp_ecn=0',
  // No pacing, so that what may go goes at once.
  'tcp_congestion_control=reno',
  'tcp_syncookies=0',
  'tcp_max_syn_backlog=8192',
  // How often the odd is answered both limit by time: here neither does.
  'tcp_invalid_ratelimit=0',
];

export class KernelTarget {
  #kernel = new Kernel();
  #listener = FIRST_LISTENER;

  constructor() {
    this.#port = openPort({ device: `net_tap0,iface=${INTERFACE}`, heapBytes: 1 << 20 });
    this.#link = this.#port.links[0];
    configureHostSide(INTERFACE, [Prefix.parse(`${THEIRS}/24`)], this.#link.mac);
    sh(`sysctl -qw ${SETTINGS.map((setting) => `net.ipv4.${setting}`).join(' ')}`);
    sh('sysctl -qw net.core.somaxconn=8192');
    const text = (mac) => [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    this.#macs = {
      srcMac: text(this.#link.mac),
      dstMac: readFileSync(`/sys/class/net/${INTERFACE}/address`, 'utf8').trim(),
    };
    sh(`ip neighbor replace ${OURS} lladdr ${this.#macs.srcMac} dev ${INTERFACE} nud permanent`);
  }

  #port;
  #link;
  #macs;

  /** Plays all sequences at once, step by step; the answers to each step of each. */
  async play(sequences) {
    const dstPort = this.#listener++;
    const ends = { src: OURS, dst: THEIRS, dstPort, ...this.#macs };
    await this.#kernel.run(serve, { host: THEIRS, port: dstPort });
    const talks = sequences.map((_, index) => new Conversation(FIRST_PORT + index));
    const heard = sequences.map(() => []);
    const steps = Math.max(...sequences.map(({ length }) => length));
    for (let at = 0; at < steps; at++) {
      const acts = [];
      for (const [index, sequence] of sequences.entries()) {
        const step = sequence[at];
        if (step === undefined) continue;
        const talk = talks[index];
        if (step.program === undefined) this.#send(frameOf(talk, step, ends), dstPort, talks);
        else acts.push({ port: talk.port, what: step.program });
      }
      if (acts.length > 0) await this.#kernel.run(act, { port: dstPort, acts });
      const end = performance.now() + KERNEL_STEP_MS;
      while (performance.now() < end) {
        this.#collect(dstPort, talks);
        await sleep(1);
      }
      await this.#kernel.run(settle, { port: dstPort });
      this.#collect(dstPort, talks);
      for (const [index, sequence] of sequences.entries()) {
        if (at < sequence.length) heard[index].push(talks[index].answers());
      }
    }
    await this.#kernel.run(leave, { port: dstPort });
    return heard;
  }

  #send(frame, dstPort, talks) {
    while (!sendFrame(this.#link, frame, { sums: false })) this.#collect(dstPort, talks);
  }

  #collect(port, talks) {
    for (;;) {
      const frames = receiveFrames(this.#link);
      if (frames.length === 0) return;
      for (const { bytes } of frames) {
        const decoded = decode(bytes);
        if (decoded.tcp?.srcPort !== port) continue;
        talks[decoded.tcp.dstPort - FIRST_PORT]?.frames.push(decoded);
      }
    }
  }

  close() {
    this.#kernel.close();
    this.#port.close();
  }
}

/** The program: it takes every connection and reads all there is. */
async function serve({ host, port }, { net, once, kept }) {
  const sockets = new Map();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.set(socket.remotePort, socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen({ port, host, backlog: 8192 });
  await once(server, 'listening');
  kept.set(port, { server, sockets });
}

/** Until the program has taken every connection and read all there is, however slow the machine. */
async function settle({ port }, { readFileSync, sleep }) {
  const local = port.toString(16).toUpperCase().padStart(4, '0');
  const unread = (file) =>
    readFileSync(`/proc/net/${file}`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, address, , , queues]) => {
        return address?.endsWith(`:${local}`) && !queues.endsWith(':00000000');
      });
  for (let turn = 0; turn < 200 && (unread('tcp') || unread('tcp6')); turn++) await sleep(5);
  // What it was told in the meantime it acts on in this turn of its loop.
  await sleep(1);
}

async function act({ port, acts }, { kept }) {
  const { sockets } = kept.get(port);
  for (const { port: from, what } of acts) {
    const socket = sockets.get(from);
    if (socket === undefined || socket.destroyed) continue;
    if (what === 'write') {
      if (socket.writable) socket.write(Buffer.alloc(100));
    } else if (what === 'shutdown') socket.end();
    else socket.destroy();
  }
}

async function leave({ port }, { kept }) {
  const { server, sockets } = kept.get(port);
  for (const socket of sockets.values()) socket.resetAndDestroy();
  server.close();
  kept.delete(port);
}
