/**
 * Packets of the stack as a script writes them: several in one, and with the script's timestamps.
 * @module
 */
import type { LivePacket } from './machine.ts';
import type { TcpSpec } from './syntax.ts';
import { ACK, FIN, PSH } from './tcp-flags.ts';

/** Stands for what the script does not write. */
export const NO_PACKET: TcpSpec = {
  kind: 'tcp',
  ip: { ecn: null, trafficClass: null, hops: null },
  ports: null,
  flags: 0,
  seq: 0,
  length: 0,
  ack: null,
  window: null,
  urgent: null,
  options: null,
};

/** Sent in one go: the same ACK, and the data goes on where the other ends. */
export function follows(before: LivePacket, next: LivePacket): boolean {
  return (
    next.kind === 'tcp' &&
    next.at === before.at &&
    next.srcPort === before.srcPort &&
    next.dstPort === before.dstPort &&
    next.ack === before.ack &&
    next.seq === (before.seq + before.payload.length) >>> 0 &&
    (before.flags & ~PSH) === (next.flags & ~(PSH | FIN)) &&
    (before.flags & ACK) !== 0
  );
}

/** Which of the segments had PSH is the stack's own business: it is taken as `push`. */
export function joined(before: LivePacket, next: LivePacket, push: number): LivePacket {
  const payload = new Uint8Array(before.payload.length + next.payload.length);
  payload.set(before.payload);
  payload.set(next.payload, before.payload.length);
  return { ...before, flags: ((next.flags | before.flags) & ~PSH) | push, payload };
}

/** The script's TSval in place of the wire's: it stands for it from now on. */
export function withTimestamp(packet: TcpSpec, value: number): TcpSpec {
  const options = packet.options!.map((option) =>
    option.name === 'TS' ? { ...option, numbers: [value, option.numbers[1]!] } : option,
  );
  return { ...packet, options };
}
