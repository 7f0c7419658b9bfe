/**
 * The script's end of the wire: which connection a packet belongs to, frames out of what a script
 * writes, and the script's words for what came.
 * @module
 */
import type { Connection } from '../../tcp/connection.ts';
import { SYN_SENT, TIME_WAIT } from '../../tcp/state.ts';
import { bigEndian, concat } from '../bytes.ts';
import { icmp, tcp, udp } from '../packet.ts';
import { ecnBits, ecnName, Flow, patternByte } from './flows.ts';
import type { LivePacket, Machine } from './machine.ts';
import { optionBytes } from './segment-options.ts';
import type { Settings } from './settings.ts';
import type { IcmpSpec, IpSpec, PacketSpec, TcpSpec, UdpSpec } from './syntax.ts';
import { ACK, SYN } from './tcp-flags.ts';

/** Ports of peers that connect to the stack. */
const FIRST_PEER_PORT = 40000;
/** An ICMP error quotes the IP header, the TCP header and no more. */
const QUOTED_BYTES = 60;
const MACS = { srcMac: '02:00:00:00:00:02', dstMac: '02:00:00:00:00:01' };

export class Wire {
  readonly #machine: Machine;
  readonly #settings: Settings;
  readonly #remoteIsn: number;
  readonly #flows: Flow[] = [];
  #peers = 0;
  /** The connection that is spoken of when no ports are written. */
  current: Flow | null = null;
  /** Ports of the last datagram: local, remote. */
  #datagram: [number, number];

  /** `remoteIsn` is added to the script's sequence numbers. */
  constructor(machine: Machine, settings: Settings, remoteIsn: number) {
    this.#machine = machine;
    this.#settings = settings;
    this.#remoteIsn = remoteIsn;
    this.#datagram = [settings.bindPort, FIRST_PEER_PORT];
  }

  /** The stack receives a packet of the script. */
  send(packet: PacketSpec): void {
    const frame =
      packet.kind === 'tcp'
        ? this.#segment(packet)
        : packet.kind === 'udp'
          ? this.#datagramFrame(packet)
          : this.#error(packet);
    this.#machine.inject(frame);
  }

  #ends(
    ip: IpSpec,
  ): { src: string; dst: string; trafficClass: number; hops: number } & typeof MACS {
    const src = this.#settings.remote;
    const dst = this.#machine.local;
    const trafficClass =
      ((ip.trafficClass ?? 0) & 0xfc) | ecnBits(ip.ecn) | ((ip.trafficClass ?? 0) & 3);
    return { ...MACS, src, dst, trafficClass, hops: ip.hops ?? 64 };
  }

  #segment(packet: TcpSpec): Uint8Array {
    const flow = this.#flowIn(packet);
    if (packet.flags & SYN) this.#noteSyn(flow, packet);
    const first = packet.seq - flow.remoteIsn - 1 + (packet.flags & SYN ? 1 : 0);
    return tcp({
      ...this.#ends(packet.ip),
      srcPort: flow.remotePort,
      dstPort: flow.localPort,
      seq: (packet.seq + flow.remoteOffset) >>> 0,
      ack: packet.flags & ACK ? ((packet.ack ?? 0) + flow.localOffset) >>> 0 : (packet.ack ?? 0),
      flags: packet.flags,
      window: packet.window ?? 0,
      urgent: packet.urgent ?? 0,
      rawOptions: optionBytes(flow.outgoing(packet.options ?? [])),
      payload: Uint8Array.from({ length: packet.length }, (_, i) => patternByte(first + i)),
    });
  }

  /** A SYN that can open the connection says where the peer's bytes begin. */
  #noteSyn(flow: Flow, packet: TcpSpec): void {
    const state = this.connectionOf(flow)?.state;
    if (state === TIME_WAIT) flow.reopens = packet.seq;
    else if (state === undefined) flow.reset(packet.seq);
    else if (state === SYN_SENT) flow.remoteIsn = packet.seq;
  }

  #flowIn(packet: TcpSpec): Flow {
    if (packet.ports !== null) {
      const [remote, local] = packet.ports;
      const known = this.#flows.find((f) => f.scriptLocal === local && f.scriptRemote === remote);
      return known === undefined
        ? this.#add(new Flow(local, remote, this.#remoteIsn, [local, remote]))
        : this.#use(known);
    }
    const { current } = this;
    const opens = (packet.flags & (SYN | ACK)) === SYN;
    if (current !== null && !(opens && this.#isOver(current))) return current;
    let remote = FIRST_PEER_PORT + this.#peers++;
    while (this.#flows.some((flow) => flow.remotePort === remote)) {
      remote = FIRST_PEER_PORT + this.#peers++;
    }
    return this.#add(new Flow(this.#settings.bindPort, remote, this.#remoteIsn));
  }

  /** A SYN then comes from a new peer, unless ports say that it is the old one. */
  #isOver(flow: Flow): boolean {
    const state = this.connectionOf(flow)?.state;
    return state === undefined || state === TIME_WAIT;
  }

  #add(flow: Flow): Flow {
    this.#flows.push(flow);
    return this.#use(flow);
  }

  #use(flow: Flow): Flow {
    this.current = flow;
    return flow;
  }

  /** The stack's connection behind a flow. */
  connectionOf(flow: Flow): Connection | undefined {
    return this.#machine.stack.tcp.connections.find(
      (c) => c.path !== null && c.localPort === flow.localPort && c.remotePort === flow.remotePort,
    );
  }

  /** The flow of a segment the stack sent; `like`: the packet that the script expects. */
  flowOut(live: LivePacket, like: PacketSpec): Flow {
    const known = this.#flows.findLast(
      (flow) => flow.localPort === live.srcPort && flow.remotePort === live.dstPort,
    );
    if (known !== undefined) return known;
    const ports = like.kind === 'tcp' && like.ports !== null ? like.ports : undefined;
    const script: [number, number] | undefined = ports && [ports[0], ports[1]];
    return this.#add(new Flow(live.srcPort, live.dstPort, this.#remoteIsn, script));
  }

  #datagramFrame(packet: UdpSpec): Uint8Array {
    if (packet.ports !== null) this.#datagram = [packet.ports[1], packet.ports[0]];
    const payload = Uint8Array.from({ length: packet.length }, (_, i) => patternByte(i));
    const [dstPort, srcPort] = this.#datagram;
    return udp({ ...this.#ends(packet.ip), srcPort, dstPort, payload });
  }

  /** An error about a packet of the stack, from the other end. */
  #error(packet: IcmpSpec): Uint8Array {
    const { protocol, seq, length } = packet.quoted;
    const flow = this.current;
    const udpQuoted = protocol === 'udp';
    const [srcPort, dstPort] =
      udpQuoted || flow === null ? this.#datagram : [flow.localPort, flow.remotePort];
    const src = this.#machine.local;
    const dst = this.#settings.remote;
    const ends = { src, dst, srcPort, dstPort, payload: new Uint8Array(length) };
    const original = udpQuoted
      ? udp(ends)
      : tcp({ ...ends, seq: (seq + (flow?.localOffset ?? 0)) >>> 0 });
    const body = concat(bigEndian(packet.mtu, 4), original.subarray(14, 14 + QUOTED_BYTES));
    return icmp({ ...this.#ends(packet.ip), type: packet.type, code: packet.code, body });
  }

  /** What the stack sent in the script's words. */
  describe(live: LivePacket, like: PacketSpec): PacketSpec {
    if (live.kind === 'tcp') return this.flowOut(live, like).inScript(live);
    const { trafficClass, hops } = live;
    const ip = { ecn: ecnName(trafficClass), trafficClass, hops };
    const ports: [number, number] = [live.srcPort, live.dstPort];
    if (live.kind === 'udp') {
      this.#datagram = ports;
      return { kind: 'udp', ip, ports, length: live.payload.length };
    }
    const { type, code } = live.icmp!;
    const quoted = { protocol: 'udp' as const, seq: 0, length: 0 };
    return { kind: 'icmp', ip, version: this.#settings.version, type, code, mtu: 0, quoted };
  }
}
