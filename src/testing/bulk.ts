/**
 * Bulk transfers over a simulated path, measured in virtual time: what loss, delay, reordering and
 * a bottleneck leave of the rate, and how flows share it. The same seed gives the same figures.
 * @module
 */
import { Address } from '../base/address.ts';
import { CONNECTED, WRITABLE } from '../base/events.ts';
import type { Faults } from '../link/faulty-path.ts';
import type { TcpOptions } from '../tcp/options.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { type EventHandler, type Host, Network } from './network.ts';
import { serve } from './programs.ts';

export interface BulkPath {
  /** Probability that a frame is lost, in each direction. */
  readonly loss: number;
  /** Microseconds there and back, queues not counted. */
  readonly rttUs: number;
  /** Probability that a frame lets up to eight later ones pass. */
  readonly reorder: number;
  readonly bitsPerSecond: number;
  readonly queueBytes: number;
  /** How much later ACKs may come: without it flows march in step and the same ones always lose. */
  readonly ackJitterUs?: number;
}

export interface BulkOptions extends BulkPath {
  readonly seed: number;
  readonly bytes: number;
  readonly tcp?: Partial<TcpOptions>;
}

export interface BulkResult {
  /** Virtual seconds from the end of the handshake to the last byte. */
  readonly seconds: number;
  readonly bytesPerSecond: number;
  /** True when what arrived is what was sent. */
  readonly intact: boolean;
  /** The sender's TCP counters. */
  readonly sender: Record<string, number>;
}

const PORT = 7;
const CHUNK = 65_536;
const REORDER_DEPTH = 8;
/** Enough for the paths that are simulated; a window is then never what limits. */
const BUFFERS = { sendBufferBytes: 4 << 20, receiveBufferBytes: 4 << 20 };
/** With a third of all frames lost even a small transfer takes hours. */
const TIMEOUT_US = 400 * 3600e6;
const HOST = { heapBytes: 32 << 20 };
const ARENA_BYTES = 128 << 20;

/** One transfer over `path`. Throws an Error when it does not get to its end. */
export function bulk(options: BulkOptions): BulkResult {
  const { seed, bytes, tcp = {} } = options;
  const { network, a, b } = hosts(options, seed, { ...BUFFERS, synRetries: 20, ...tcp }, HOST);
  const source = network.random.bytes(bytes);
  const sink = { accepted: false, received: 0, intact: true };
  serve(b, PORT, (socket) => compare(socket, source, sink));
  const socket = a.stack.tcp.connect({ address: Address.parse('10.0.0.2'), port: PORT });
  send(socket, source);
  network.run(() => sink.accepted || socket.error !== '', { timeoutUs: TIMEOUT_US });
  const start = network.clock.now();
  network.run(() => sink.received >= bytes || socket.error !== '', { timeoutUs: TIMEOUT_US });
  const seconds = (network.clock.now() - start) / 1e6;
  const sender = a.stack.report().tcp;
  const { error } = socket;
  network.close();
  if (error !== '') throw new Error(`seed ${seed}: the transfer ended with ${error}`);
  return { seconds, bytesPerSecond: bytes / seconds, intact: sink.intact, sender };
}

export interface ShareOptions extends BulkPath {
  readonly seed: number;
  readonly flows: number;
  /** Virtual seconds before, and for which, bytes are counted. */
  readonly settleSeconds: number;
  readonly seconds: number;
  readonly tcp?: Partial<TcpOptions>;
}

/** Bytes that each of `flows` connections got through the same bottleneck. */
export function shares(options: ShareOptions): number[] {
  const { seed, flows, settleSeconds, seconds, tcp = {} } = options;
  const heap = { heapBytes: 96 << 20 };
  const { network, a, b } = hosts(options, seed, tcp, heap, 320 << 20);
  const received: number[] = [];
  serve(b, PORT, (socket) => {
    const flow = received.push(0) - 1;
    const into = new Uint8Array(CHUNK);
    socket.owner = (() => {
      for (let n = socket.read(into); n > 0; n = socket.read(into)) received[flow]! += n;
    }) satisfies EventHandler;
  });
  const chunk = new Uint8Array(CHUNK);
  for (let i = 0; i < flows; i++) {
    const socket = a.stack.tcp.connect({ address: Address.parse('10.0.0.2'), port: PORT });
    socket.owner = ((events) => {
      if ((events & (CONNECTED | WRITABLE)) !== 0) while (socket.write(chunk) > 0);
    }) satisfies EventHandler;
  }
  network.runFor(settleSeconds * 1e6);
  const before = [...received];
  network.runFor(seconds * 1e6);
  network.close();
  return received.map((bytes, flow) => bytes - (before[flow] ?? 0));
}

/** Jain's fairness index: 1 when all are equal, 1/n when one has everything. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return (sum * sum) / (values.length * squares);
}

function hosts(
  path: BulkPath,
  seed: number,
  tcp: Partial<TcpOptions>,
  host: { heapBytes: number },
  arenaBytes = ARENA_BYTES,
): { network: Network; a: Host; b: Host } {
  const { loss, rttUs, reorder, bitsPerSecond, queueBytes } = path;
  const network = new Network({ seed, arenaBytes });
  const a = network.addHost('a', { tcp, ...host });
  const b = network.addHost('b', { tcp, ...host });
  const faults: Faults = { loss, reorder, reorderDepth: REORDER_DEPTH, delay: rttUs / 2 };
  const there = { ...faults, bitsPerSecond, queueBytes };
  const back = { ...faults, jitter: path.ackJitterUs ?? 0 };
  network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { there, back });
  return { network, a, b };
}

function send(socket: TcpSocket, source: Uint8Array): void {
  let sent = 0;
  socket.owner = ((events) => {
    if ((events & (CONNECTED | WRITABLE)) === 0) return;
    while (sent < source.length) {
      const count = socket.write(source, sent, Math.min(source.length, sent + CHUNK));
      sent += count;
      if (count === 0) return;
    }
    socket.shutdown();
  }) satisfies EventHandler;
}

/** Reads what comes and holds it against `source`. */
function compare(
  socket: TcpSocket,
  source: Uint8Array,
  sink: { accepted: boolean; received: number; intact: boolean },
): void {
  sink.accepted = true;
  const into = new Uint8Array(CHUNK);
  socket.owner = (() => {
    for (let count = socket.read(into); count > 0; count = socket.read(into)) {
      for (let i = 0; i < count; i++) {
        if (into[i] !== source[sink.received + i]) sink.intact = false;
      }
      sink.received += count;
    }
    if (socket.ended) socket.close();
  }) satisfies EventHandler;
}
