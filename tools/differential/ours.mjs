/**
 * Our stack as a target: in memory, under a virtual clock.
 * @module
 */
import { decode } from '../../dist/testing/decode.js';
import * as Packet from '../../dist/testing/packet.js';
import { TcpPeer } from '../../dist/testing/tcp-peer.js';
import { Conversation, frameOf } from './conversation.mjs';
import { FIRST_PORT, OUR_STEP_MS } from './target.mjs';

const LISTEN = 80;
const ENDS = {
  4: { src: '10.0.0.2', dst: '10.0.0.1', dstPort: LISTEN },
  6: { src: 'fd00::2', dst: 'fd00::1', dstPort: LISTEN },
};
/** Nothing is sent again within a sequence, and nothing is limited. */
const TCP = {
  maxHalfOpen: 4096,
  synCookies: 'never',
  resetsPerSecond: 1_000_000,
  ecn: 'off',
  initialRtoMs: 60_000,
  minRtoMs: 60_000,
};
const REFUSALS = ['EPIPE', 'ENOTCONN', 'ECONNRESET', 'ECANCELED'];
const scratch = new Uint8Array(65536);

/** Plays all sequences at once, step by step; the answers to each step of each. */
export function playOurs(sequences, { version }) {
  const peer = new TcpPeer({ tcp: TCP, seed: 7, version });
  meet(peer);
  const listener = peer.stack.tcp.listen({ port: LISTEN, backlog: 4096 });
  const sockets = new Map();
  const talks = sequences.map((_, index) => new Conversation(FIRST_PORT + index));
  const heard = sequences.map(() => []);
  const steps = Math.max(...sequences.map(({ length }) => length));
  for (let at = 0; at < steps; at++) {
    for (const [index, sequence] of sequences.entries()) {
      const step = sequence[at];
      if (step === undefined) continue;
      const talk = talks[index];
      if (step.program === undefined) peer.getsFrame(frameOf(talk, step, ENDS[version]));
      else act(peer, sockets, talk.port, step.program);
    }
    for (let ms = 0; ms < OUR_STEP_MS; ms += 50) {
      peer.leap(50);
      serve(peer, listener, sockets);
    }
    collect(peer, talks, ENDS[version]);
    for (const [index, sequence] of sequences.entries()) {
      if (at < sequence.length) heard[index].push(talks[index].answers());
    }
  }
  return heard;
}

/** Both ends learn of each other: of hundreds of SYNs at once few would wait for a neighbor. */
function meet(peer) {
  const socket = peer.stack.tcp.connect({ address: peer.peerAddress, port: 9 });
  peer.pump();
  socket.abort();
  peer.sent.length = 0;
}

/** What the program does; what a socket refuses (its connection is over) it does without. */
function act(peer, sockets, port, what) {
  if (what === 'connect') {
    const socket = peer.stack.tcp.connect({ address: peer.peerAddress, port });
    socket.options.noDelay = true;
    sockets.set(port, socket);
    return;
  }
  const socket = sockets.get(port);
  if (socket === undefined) return;
  try {
    if (what === 'write') socket.write(scratch, 0, 100);
    else if (what === 'shutdown') socket.shutdown();
    else socket.close();
  } catch (error) {
    if (!REFUSALS.includes(error.code)) throw error;
  }
  if (what === 'close') sockets.delete(port);
}

/** The program: it takes every connection and reads all there is. */
function serve(peer, listener, sockets) {
  for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
    sockets.set(socket.remotePort, socket);
    socket.options.noDelay = true;
  }
  while (peer.stack.nextEvent() !== null);
  for (const socket of sockets.values()) {
    while (socket.readable > 0) socket.read(scratch);
  }
  peer.pump();
}

function collect(peer, talks, { src, dst }) {
  for (const sent of peer.sent.splice(0)) {
    const talk = talks[sent.dstPort - FIRST_PORT];
    if (talk === undefined) continue;
    talk.targetPort = sent.srcPort;
    // The same reader for both targets: options as decode() has them.
    const frame = Packet.tcp({
      src: dst,
      dst: src,
      srcPort: sent.srcPort,
      dstPort: sent.dstPort,
      seq: sent.seq >>> 0,
      ack: sent.ack >>> 0,
      flags: sent.flags,
      window: sent.window,
      rawOptions: sent.options,
      payload: sent.data,
    });
    talk.frames.push(decode(frame));
  }
}
