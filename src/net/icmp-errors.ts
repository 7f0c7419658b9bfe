/**
 * The ICMP errors we send (RFC 1122 3.2.2, RFC 4443 2.4): never about errors, groups or later
 * fragments, and at a limited rate.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { copy } from '../storage/arena.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Core } from './core.ts';
import type { Egress } from './egress.ts';
import type { Packet } from './packet.ts';
import type { Paths } from './paths.ts';
import * as Stats from './stats.ts';
import { NO_SLOT } from './transmit.ts';

/** Whole error packets, quote included (RFC 1812 4.3.2.3, RFC 4443 2.4 c). */
const PACKET_MAX_V4 = 576;
const PACKET_MAX_V6 = 1280;
/** Errors per second, and at once. */
const RATE = 1000;
const BURST = 50;

export class IcmpErrors {
  readonly #core: Core;
  readonly #paths: Paths;
  readonly #egress: Egress;
  #tokens = BURST;
  #filledAt = 0;

  constructor(core: Core, paths: Paths, egress: Egress) {
    this.#core = core;
    this.#paths = paths;
    this.#egress = egress;
  }

  /**
   * Answers `packet` with an error.
   * @param word the second word: pointer or 0
   * @param toGroup also when the packet went to a group (RFC 4443 2.4 e.3)
   */
  send(packet: Packet, type: number, code: number, word: number, toGroup = false): void {
    if ((packet.group === 1 && !toGroup) || !this.#mayAnswer(packet)) return;
    if (!this.#takeToken()) {
      this.#core.drops[Drop.ICMP_RATE_LIMITED]!++;
      return;
    }
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const path =
      packet.group === 1
        ? this.#paths.acquire(src0, src1, src2, src3, 0, 0, 0, 0)
        : this.#paths.acquire(src0, src1, src2, src3, dst0, dst1, dst2, dst3);
    if (path === null) {
      this.#core.drops[Drop.IP_NO_ROUTE]!++;
      return;
    }
    const at = this.#egress.begin(path);
    if (at === NO_SLOT) {
      this.#core.drops[Drop.TX_NO_SLOT]!++;
    } else {
      const view = this.#core.view;
      const room =
        (path.version === 4 ? PACKET_MAX_V4 : PACKET_MAX_V6) -
        path.headerLength -
        Icmpv4.HEADER_LENGTH;
      const quoted = Math.min(room, packet.at + packet.length - packet.ipAt);
      const length = Icmpv4.HEADER_LENGTH + quoted;
      Icmpv4.write(view, at, type, code, word);
      copy(this.#core.arena, at + Icmpv4.HEADER_LENGTH, packet.ipAt, quoted);
      let pseudo = 0;
      if (path.version === 6) {
        const { local0, local1, local2, local3 } = path;
        const protocol = Ipv6.PROTOCOL_ICMPV6;
        pseudo = Checksum.pseudo(
          local0,
          local1,
          local2,
          local3,
          src0,
          src1,
          src2,
          src3,
          protocol,
          length,
        );
      }
      Icmpv4.setChecksum(view, at, Checksum.finish(Checksum.sum(view, at, length, pseudo)));
      this.#egress.commit(path, at, length, 0, 0, 0, 0);
      this.#core.stats[Stats.ICMP_ERRORS_OUT]!++;
    }
    this.#paths.release(path);
  }

  /** Not about an ICMP error, and not to a source that is nobody. */
  #mayAnswer(packet: Packet): boolean {
    const view = this.#core.view;
    if (packet.version === 4) {
      return (
        packet.protocol !== Ipv4.PROTOCOL_ICMP || !Icmpv4.isError(Icmpv4.type(view, packet.at))
      );
    }
    if (packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0)
      return false;
    return (
      packet.protocol !== Ipv6.PROTOCOL_ICMPV6 || !Icmpv6.isError(Icmpv6.type(view, packet.at))
    );
  }

  /**
   * A token bucket. What an error costs is random, or the limit itself would tell an observer
   * whether others were answered (CVE-2020-25705).
   */
  #takeToken(): boolean {
    const now = this.#core.clock.ms;
    const elapsed = Math.min((now - this.#filledAt) >>> 0, 1000);
    this.#tokens = Math.min(BURST, this.#tokens + (elapsed * RATE) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 2) return false;
    this.#tokens -= 1 + (this.#core.random() & 1);
    return true;
  }
}
