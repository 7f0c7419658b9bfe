/**
 * The network layer of one stack: interfaces, addresses, routes, neighbors, and the ways in and
 * out. Transports register and send along paths.
 * @module
 */
import { Address, Prefix, V4_PREFIX } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { LINK_MTU } from '../link/layout.gen.ts';
import type { Link } from '../link/link.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import { AddressHash } from './address-hash.ts';
import { AddressTable, BROADCAST, NO_ENTRY, UNICAST } from './address-table.ts';
import { Core } from './core.ts';
import { Egress } from './egress.ts';
import { Failures } from './failures.ts';
import { Reassembly } from './fragments.ts';
import { FragmentsOut } from './fragments-out.ts';
import { Groups } from './groups/groups.ts';
import type { Homing } from './homing.ts';
import { IcmpProtocol } from './icmp.ts';
import { IcmpErrors } from './icmp-errors.ts';
import { Icmpv6Protocol } from './icmpv6.ts';
import { Ingress } from './ingress.ts';
import { IpBranches } from './ip-branches.ts';
import { ArpProtocol } from './neighbor/arp.ts';
import type { NeighborBoard } from './neighbor/board.ts';
import { NeighborCache } from './neighbor/cache.ts';
import { NdpProtocol } from './neighbor/ndp.ts';
import { Nic } from './nic.ts';
import { type AttachOptions, type NetOptions, neighborLimits } from './options.ts';
import { NO_FRAME, Packet } from './packet.ts';
import { Paths } from './paths.ts';
import type { Relay } from './relay.ts';
import { Routes } from './routes.ts';
import * as Stats from './stats.ts';
import { type Transport, UNREACHABLE_HOST } from './transport.ts';
import { transportSum } from './transport-sum.ts';
import { WayBack } from './way-back.ts';

/** A gratuitous ARP or advertisement found no slot: again after this time. */
const ANNOUNCE_RETRY_MS = 5;
const BROADCAST_V4 = Address.v4(255, 255, 255, 255);
const IPV6_MTU_MIN = 1280;

export class Net {
  readonly routes: Routes;
  readonly paths: Paths;
  readonly egress: Egress;
  readonly neighbors: NeighborCache;
  /** Sends datagrams of any size. */
  readonly fragmentsOut: FragmentsOut;
  readonly reassembly: Reassembly;
  readonly core: Core;
  /** Answers to strangers go along it. */
  readonly wayBack: WayBack;
  /** Outgoing flows take a port whose answers come to this stack; null: all do. */
  readonly homing: Homing | null;
  readonly groups: Groups;
  readonly #nics: Nic[] = [];
  readonly #addresses: AddressTable = new AddressTable();
  readonly #transports: (Transport | null)[] = new Array<Transport | null>(256).fill(null);
  readonly #ingress: Ingress;
  readonly #arp: ArpProtocol;
  readonly #ndp: NdpProtocol;
  readonly #errors: IcmpErrors;
  readonly #relay: Relay | null;
  readonly #board: NeighborBoard | null;

  /** Throws StackError ENOMEM when the arena is too small. */
  constructor(options: NetOptions) {
    const core = new Core(options.arena, options.clock, options.random, options.drops);
    const limits = options.limits ?? {};
    const addresses = this.#addresses;
    const hash = new AddressHash(options.random);
    const failures = new Failures(core, addresses, this.#transports);
    this.core = core;
    this.homing = options.homing ?? null;
    this.#relay = options.relay ?? null;
    this.#board = options.board ?? null;
    this.#relay?.attach(core);
    this.routes = new Routes(() => this.paths.reroute());
    this.neighbors = new NeighborCache(
      core,
      hash,
      {
        solicit: (neighbor) => (neighbor.version === 4 ? this.#arp : this.#ndp).solicit(neighbor),
        undelivered: (version, at, length) =>
          failures.report(version, at, length, UNREACHABLE_HOST, 0),
        reclaim: () => this.paths.reclaim(),
      },
      neighborLimits(limits),
      this.#board,
    );
    this.paths = new Paths(
      core,
      hash,
      addresses,
      this.routes,
      this.neighbors,
      this.#nics,
      limits.cachedPaths ?? 1024,
    );
    this.egress = new Egress(core, this.neighbors);
    this.fragmentsOut = new FragmentsOut(core, this.egress);
    this.wayBack = new WayBack(core.view, this.#nics);
    this.#errors = new IcmpErrors(core, this.paths, this.egress);
    this.reassembly = new Reassembly(core, limits.fragmentBlocks ?? 1024, (packet) =>
      this.#timeExceeded(packet),
    );
    this.#arp = new ArpProtocol(core, addresses, this.neighbors);
    this.#ndp = new NdpProtocol(core, addresses, this.neighbors);
    this.groups = new Groups(core, addresses, this.#nics);
    const branches = new IpBranches(core, this.reassembly, this.#errors, (packet) =>
      this.#deliver(packet),
    );
    this.#ingress = new Ingress(
      core,
      addresses,
      new Packet(),
      this.#transports,
      this.#arp,
      branches,
    );
    const icmp = new IcmpProtocol(core, this.paths, this.fragmentsOut, failures);
    const icmpv6 = new Icmpv6Protocol(
      core,
      this.#nics,
      this.paths,
      this.fragmentsOut,
      failures,
      this.#ndp,
      this.groups.mld,
    );
    this.register(Ipv4.PROTOCOL_ICMP, icmp);
    this.register(Ipv6.PROTOCOL_ICMPV6, icmpv6);
    this.register(Ipv4.PROTOCOL_IGMP, this.groups.igmp);
    this.#addresses.add(0, 0, V4_PREFIX, BROADCAST_V4.w3, BROADCAST, 0);
  }

  /** All interfaces, in the order they were attached. */
  get nics(): readonly Nic[] {
    return this.#nics;
  }

  /** Counters of Stats.family; the sums over all interfaces are made when this is read. */
  get stats(): Float64Array {
    const { stats } = this.core;
    for (const [sum, counter] of Stats.SUMS) {
      stats[sum] = this.#nics.reduce((total, nic) => total + nic.counters[counter]!, 0);
    }
    return stats;
  }

  /** 1 when tick() is to be called at `tickAt` (int32 ms). */
  get hasTick(): 0 | 1 {
    return this.core.hasTick;
  }

  get tickAt(): number {
    return this.core.tickAt;
  }

  /**
   * Makes a link an interface. Throws StackError EINVAL when the link lies in another arena or
   * the VLAN does not exist, EADDRINUSE when an address is ours already.
   */
  attach(link: Link, options: AttachOptions = {}): Nic {
    const vlan = options.vlan ?? 0;
    if (link.arena.buffer !== this.core.arena.buffer) {
      throw new StackError('EINVAL', `link '${link.name}' and the stack must share one arena`);
    }
    if (!Number.isInteger(vlan) || vlan < 0 || vlan > 4094) {
      throw new StackError('EINVAL', `VLAN ${vlan} is not in 0-4094`);
    }
    const nic = new Nic(this.#nics.length, link, vlan, options.loopback ?? false);
    this.#nics.push(nic);
    this.groups.attach(nic);
    if (nic.loopback === 1) {
      this.addAddress(nic, Prefix.parse('127.0.0.1/8'));
      this.addAddress(nic, Prefix.parse('::1/128'));
    }
    for (const prefix of options.addresses ?? []) {
      if (!nic.addresses.some((known) => known.address.equals(prefix.address)))
        this.addAddress(nic, prefix);
    }
    if (nic.loopback === 0 && nic.mtu >= IPV6_MTU_MIN) {
      const linkLocal = linkLocalAddress(nic);
      if (!this.#isKnown(linkLocal)) this.addAddress(nic, new Prefix(linkLocal, 64));
    }
    return nic;
  }

  /**
   * Gives an interface an address, routes its prefix there, and announces it.
   * Throws StackError EADDRINUSE when it is ours already, EINVAL when no host can have it.
   */
  addAddress(nic: Nic, prefix: Prefix): void {
    const { address } = prefix;
    if (address.isAny || address.isMulticast) {
      throw new StackError('EINVAL', `${address} cannot be an interface's address`);
    }
    if (this.#isKnown(address)) throw new StackError('EADDRINUSE', `${address} is already ours`);
    const { w0, w1, w2, w3 } = address;
    this.#addresses.add(w0, w1, w2, w3, UNICAST, nic.index);
    nic.addresses.push(prefix);
    if (nic.loopback === 1) {
      nic.announced = nic.addresses.length;
      return;
    }
    if (address.version === 6) {
      this.groups.joinSolicitedNode(address, nic);
    } else if (prefix.length <= 30) {
      const hostBits = prefix.length === 0 ? -1 : (1 << (32 - prefix.length)) - 1;
      this.#addresses.add(0, 0, V4_PREFIX, w3 | hostBits, BROADCAST, nic.index);
    }
    const isLinkLocalV6 = address.version === 6 && address.isLinkLocal;
    if (!isLinkLocalV6) this.routes.add(prefix, null, nic);
    this.core.tickBy(this.core.clock.ms);
  }

  /** A configured neighbor. Throws StackError ENOMEM when the table is full. */
  addNeighbor(nic: Nic, address: Address, macHigh: number, macLow: number): void {
    const { w0, w1, w2, w3 } = address;
    if (!this.neighbors.setStatic(nic, w0, w1, w2, w3, macHigh, macLow)) {
      throw new StackError('ENOMEM', 'the neighbor table is full');
    }
  }

  /** From now on packets of this protocol go to `transport`. */
  register(protocol: number, transport: Transport): void {
    this.#transports[protocol] = transport;
  }

  /** From now on echo replies, and errors about echo requests, go to `transport`. */
  registerEcho(transport: Transport): void {
    this.core.echo = transport;
  }

  /** Processes the frames of the link's last exchange; returns how many. */
  receive(nic: Nic): number {
    return this.#ingress.receive(nic);
  }

  /** The link's MTU is another now: so are those of the paths over it. */
  followMtu(nic: Nic): void {
    nic.linkMtu = nic.ring[LINK_MTU]!;
    if (nic.linkMtu === 0) return;
    nic.mtu = nic.linkMtu;
    this.paths.followMtu(nic);
  }

  /** Takes in what the other stacks over the device have learned, and put together. */
  hear(): void {
    this.neighbors.hear(this.#nics);
    this.#relay?.receive((packet) => this.#ingress.deliver(packet));
  }

  /** What came by way of options, extensions or fragments. */
  #deliver(packet: Packet): void {
    const relay = packet.frameAt === NO_FRAME ? this.#relay : null;
    if (relay?.takes(packet) !== true) {
      this.#ingress.deliver(packet);
      return;
    }
    this.#board?.ring();
    relay.wake();
  }

  /** Does what is due at clock.ms: requests, probes, timeouts, announcements. */
  tick(): void {
    this.core.hasTick = 0;
    this.neighbors.tick();
    this.reassembly.tick();
    this.paths.tick();
    this.groups.tick();
    for (const nic of this.#nics) this.#announce(nic);
  }

  /** True for our own unicast addresses, 127.0.0.0/8 included once there is a loopback. */
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.localNic(w0, w1, w2, w3) !== null;
  }

  /** The interface that has the address, null when it is not ours. */
  localNic(w0: number, w1: number, w2: number, w3: number): Nic | null {
    const entry = this.#addresses.find(w0, w1, w2, w3);
    if (entry !== NO_ENTRY && this.#addresses.kindOf(entry) === UNICAST) {
      return this.#nics[this.#addresses.nicOf(entry)]!;
    }
    if (w3 >>> 24 !== 127 || w2 !== V4_PREFIX || w1 !== 0 || w0 !== 0) return null;
    return this.#nics.find((nic) => nic.loopback === 1) ?? null;
  }

  /** True for 255.255.255.255 and the broadcast addresses of our subnets. */
  isBroadcast(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#addresses.kind(w0, w1, w2, w3) === BROADCAST;
  }

  /** The transport checksum of a packet with packet.checked 0: 0xffff when it is whole. */
  transportSum(packet: Packet): number {
    return transportSum(this.core.view, packet);
  }

  /** Answers with "port unreachable"; at a limited rate, and not where RFC 1122 forbids it. */
  portUnreachable(packet: Packet): void {
    if (packet.version === 4) this.#errors.send(packet, Icmpv4.UNREACHABLE, Icmpv4.CODE_PORT, 0);
    else this.#errors.send(packet, Icmpv6.UNREACHABLE, Icmpv6.CODE_PORT, 0);
  }

  #timeExceeded(packet: Packet): void {
    if (packet.version === 4)
      this.#errors.send(packet, Icmpv4.TIME_EXCEEDED, Icmpv4.CODE_REASSEMBLY, 0);
    else this.#errors.send(packet, Icmpv6.TIME_EXCEEDED, Icmpv6.CODE_REASSEMBLY, 0);
  }

  #announce(nic: Nic): void {
    while (nic.announced < nic.addresses.length) {
      const { address } = nic.addresses[nic.announced]!;
      const sent =
        address.version === 4
          ? this.#arp.announce(nic, address.w3)
          : this.#ndp.announce(nic, address);
      if (!sent) {
        this.core.tickBy(this.core.clock.ms + ANNOUNCE_RETRY_MS);
        return;
      }
      nic.announced++;
    }
  }

  #isKnown(address: Address): boolean {
    return this.#addresses.kind(address.w0, address.w1, address.w2, address.w3) === UNICAST;
  }
}

/** fe80::/64 with the interface identifier made of the MAC (RFC 4291 appendix A). */
function linkLocalAddress(nic: Nic): Address {
  const { macHigh, macLow } = nic;
  const w2 = ((macHigh ^ 0x0200) << 16) | ((macLow >>> 24) << 8) | 0xff;
  const w3 = (0xfe << 24) | (macLow & 0xffffff);
  return new Address(0xfe800000, 0, w2, w3);
}
