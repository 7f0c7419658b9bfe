/**
 * One sequence played to one target: the peer's view of it, from which the numbers of the next
 * segment follow, and the target's answers without what may differ (ISN, ports, windows, times).
 * @module
 */
import * as Packet from '../../dist/testing/packet.js';

export const PEER_ISN = 0x10000000;
const TS_BASE = 1_000_000;
const TS_STEP = 100;
const SCALE = 7;

const word = (value) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const after = (a, b) => ((a - b) | 0) > 0;

export class Conversation {
  #iss = null;
  /** Of the target: the end of what it sent, of its window; what it expects next. */
  #sent = 0;
  #edge = (PEER_ISN + 1) | 0;
  #expects = PEER_ISN;
  /** What the peer has acknowledged. */
  #acked = 0;
  #tsEcr = 0;
  #timestamps = false;
  #scale = 0;
  #steps = 0;
  /** Whether the peer has just repeated its SYN: then a SYN-ACK is an answer, else a repetition. */
  #repeatsSyn = false;

  constructor(port) {
    this.port = port;
    /** The target's, once it is known. */
    this.targetPort = null;
    /** What came back since the last answers(). */
    this.frames = [];
    /** How often the target sent its SYN again, for it had to wait. */
    this.synsAgain = 0;
  }

  /** The fields of a segment, for testing/packet.ts. */
  fields(step) {
    this.#steps++;
    this.#repeatsSyn = step.flags === 'SYN' && step.seq[1] === -1;
    const bases = { rcv: this.#expects, edge: this.#edge };
    const acks = { all: this.#sent, una: this.#acked };
    const ack = step.ack === null ? 0 : (acks[step.ack[0]] + step.ack[1]) | 0;
    if (step.flags.includes('ACK') && step.ack[1] === 0 && step.ack[0] === 'all') this.#acked = ack;
    return {
      seq: (bases[step.seq[0]] + step.seq[1]) >>> 0,
      ack: step.flags.includes('ACK') ? ack >>> 0 : 0,
      flags: step.flags,
      window: step.window ?? 65535,
      urgent: step.urgent ?? 0,
      rawOptions: Uint8Array.from(this.#options(step)),
      payload: 'x'.repeat(step.length),
    };
  }

  #options({ options }) {
    const now = TS_BASE + this.#steps * TS_STEP;
    const timestamps = (value) => [1, 1, 8, 10, ...word(value), ...word(this.#tsEcr)];
    if (options === 'syn' || options === 'syn without timestamps') {
      this.#timestamps = options === 'syn';
      const rest = [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, SCALE];
      return this.#timestamps ? [...rest, ...timestamps(now)] : rest;
    }
    const usual = this.#timestamps ? timestamps(now) : [];
    const block = (from, to) => [1, 1, 5, 10, ...word(from), ...word(to)];
    switch (options) {
      case 'none':
        return [];
      case 'old timestamp':
        return this.#timestamps ? timestamps(TS_BASE - 50_000) : [];
      case 'short timestamp':
        return [8, 6, ...word(now), 1, 1];
      case 'zero length':
        return [...usual, 254, 0, 0, 0];
      case 'unknown':
        return [...usual, 253, 4, 1, 2];
      case 'sack ahead':
        return [...usual, ...block(this.#sent + 10, this.#sent + 20)];
      case 'sack behind':
        return [...usual, ...block(this.#acked - 20, this.#acked - 10)];
      default:
        return usual;
    }
  }

  /** What came back, a word or two for each segment, in order. Forgets it. */
  answers() {
    const said = [];
    for (const { tcp, payload } of this.frames.splice(0)) {
      const text = this.#take(tcp, payload.length);
      if (text !== null && said.at(-1) !== text) said.push(text);
    }
    this.#repeatsSyn = false;
    return said.join('; ') || 'nothing';
  }

  #take(tcp, length) {
    const flags = tcp.flags.split(' ').filter((flag) => /FIN|SYN|RST|ACK/.test(flag));
    const isReset = flags.includes('RST');
    const seq = tcp.seq | 0;
    const isFirst = flags.includes('SYN') && seq !== this.#iss;
    if (flags.includes('SYN')) this.#begin(tcp);
    const end = (seq + length + flags.filter((flag) => /SYN|FIN/.test(flag)).length) | 0;
    const isNew = this.#iss === null || after(end, this.#sent);
    if (!isReset && isNew) this.#sent = end;
    const ack = tcp.ack | 0;
    const moved = after(ack, this.#expects);
    if (!isReset) {
      this.#expects = moved ? ack : this.#expects;
      const edge = (ack + (tcp.window << (flags.includes('SYN') ? 0 : this.#scale))) | 0;
      if (after(edge, this.#edge)) this.#edge = edge;
    }
    if (tcp.options.timestamps !== undefined) this.#tsEcr = tcp.options.timestamps[0];
    const isAnswer = isFirst || (flags.join(' ') === 'SYN ACK' && this.#repeatsSyn);
    const isAgain = end !== seq && !isNew && !isAnswer;
    if (isAgain && flags.includes('SYN')) this.synsAgain++;
    // What is sent again depends on time alone, but its ACK may be news.
    if (isAgain && !moved) return null;
    return this.#describe(flags, isAgain ? this.#sent : seq, isAgain ? 0 : length, tcp, isReset);
  }

  #begin(tcp) {
    this.#iss = tcp.seq | 0;
    this.#sent = (this.#iss + 1) | 0;
    this.#acked = this.#sent;
    this.#scale = tcp.options.windowScale ?? 0;
  }

  #describe(flags, seq, length, tcp, isReset) {
    const kinds = Object.keys(tcp.options).sort();
    // With which options a RST comes nobody looks at.
    const options = isReset || kinds.length === 0 ? '' : ` <${kinds.join(' ')}>`;
    // A RST for what acknowledges nothing has the number 0, whatever the ISN.
    const isAbsolute = this.#iss === null || (isReset && seq === 0);
    const relative = isAbsolute ? seq : (seq - this.#iss) | 0;
    const ack = flags.includes('ACK') ? ` ack ${((tcp.ack | 0) - PEER_ISN) | 0}` : '';
    const dsack = (tcp.options.sack ?? []).map(
      (edges) => ` sack ${edges.map((edge) => ((edge | 0) - PEER_ISN) | 0).join('-')}`,
    );
    const window = isReset || tcp.window > 0 ? '' : ' window 0';
    return `${flags.join(' ')} seq ${relative} length ${length}${ack}${window}${options}${dsack.join('')}`;
  }
}

/** A frame of a conversation; a target that has not shown itself yet is at `ends.dstPort`. */
export function frameOf(conversation, step, ends) {
  const { port, targetPort } = conversation;
  const ports = { srcPort: port, dstPort: targetPort ?? ends.dstPort };
  return Packet.tcp({ ...ends, ...ports, ...conversation.fields(step) });
}
