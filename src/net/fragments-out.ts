/**
 * Sends transport packets of any size that lie in the arena, in fragments where they do not fit
 * the path (RFC 791 3.2, RFC 8200 4.5).
 *
 * The link fills no transport checksum into these: the caller has done it.
 * @module
 */
import { copy } from '../storage/arena.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Core } from './core.ts';
import type { Egress } from './egress.ts';
import type { Path } from './path.ts';
import * as Stats from './stats.ts';
import { NO_SLOT, room } from './transmit.ts';

/** Largest IP packet; scratch has room for its transport part. */
const PACKET_MAX = 65535;

export class FragmentsOut {
  /** Where a datagram too large for a slot may be put together: 64 KiB of the arena. */
  readonly scratchAt: number;
  readonly #core: Core;
  readonly #egress: Egress;

  constructor(core: Core, egress: Egress) {
    this.#core = core;
    this.#egress = egress;
    this.scratchAt = core.arena.reserve(PACKET_MAX + 1);
  }

  /**
   * Sends `length` bytes at `at` as one packet of `protocol`. False when the link has no room
   * for all of it now; then nothing was sent.
   */
  send(path: Path, protocol: number, at: number, length: number): boolean {
    const whole = length + path.headerLength <= path.mtu;
    const icmp = path.version === 4 ? Ipv4.PROTOCOL_ICMP : Ipv6.PROTOCOL_ICMPV6;
    if (!whole || protocol !== icmp) return this.#sendFragments(path, protocol, at, length);
    const to = this.#egress.begin(path);
    if (to === NO_SLOT) return false;
    copy(this.#core.arena, to, at, length);
    this.#egress.commit(path, to, length, 0, 0, 0, 0);
    return true;
  }

  #sendFragments(path: Path, protocol: number, at: number, length: number): boolean {
    const extra = path.version === 4 ? 0 : Ipv6.FRAGMENT_LENGTH;
    const most = (path.mtu - path.headerLength - extra) & ~7;
    const count = Math.ceil(length / most);
    if (room(path.nic.ring) < count) return false;
    const id = this.#nextId(path);
    for (let offset = 0; offset < length; offset += most) {
      const piece = Math.min(most, length - offset);
      const to = this.#egress.begin(path) + extra;
      copy(this.#core.arena, to, at + offset, piece);
      this.#egress.commitFragment(path, to, piece, protocol, id, offset, offset + piece < length);
    }
    this.#core.stats[Stats.FRAGMENTS_OUT]! += count;
    return true;
  }

  /** IPv4 counts from a random start per path; IPv6 has room for 32 random bits (RFC 7739). */
  #nextId(path: Path): number {
    if (path.version === 6) return this.#core.random() | 0;
    path.ipId = (path.ipId + 1) & 0xffff;
    return path.ipId;
  }
}
