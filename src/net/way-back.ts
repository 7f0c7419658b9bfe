/**
 * The way back to where the packet being received came from, without a look at routes, neighbors
 * or paths: the same interface, the MAC that sent the frame, the addresses exchanged.   hot path
 *
 * For answers to strangers whose addresses may be forged (SYN cookies, RST): nothing is remembered
 * of them, nothing is allocated, and no neighbor is asked for.
 * @module
 */
import * as Ethernet from '../wire/ethernet.ts';
import type { Nic } from './nic.ts';
import { NO_FRAME, type Packet } from './packet.ts';
import { Path } from './path.ts';

export class WayBack {
  readonly #view: DataView;
  readonly #nics: readonly Nic[];
  #path: Path | null = null;

  constructor(view: DataView, nics: readonly Nic[]) {
    this.#view = view;
    this.#nics = nics;
  }

  /** Valid until the next call. Null for a packet that was put together from fragments. */
  of(packet: Packet): Path | null {
    if (packet.frameAt === NO_FRAME) return null;
    const nic = this.#nics[packet.nic]!;
    const path = this.#path ?? this.#make(nic);
    path.nic = nic;
    path.mtu = nic.mtu;
    path.version = packet.version;
    path.headerLength = packet.version === 4 ? 20 : 40;
    path.macHigh = Ethernet.srcHigh(this.#view, packet.frameAt);
    path.macLow = Ethernet.srcLow(this.#view, packet.frameAt);
    path.local0 = packet.dst0;
    path.local1 = packet.dst1;
    path.local2 = packet.dst2;
    path.local3 = packet.dst3;
    path.remote0 = packet.src0;
    path.remote1 = packet.src1;
    path.remote2 = packet.src2;
    path.remote3 = packet.src3;
    // Egress adds one. A counter that all strangers see would tell each of the others (RFC 7739).
    path.ipId = -1;
    return path;
  }

  /** cold: once per stack. */
  #make(nic: Nic): Path {
    this.#path = new Path(nic);
    return this.#path;
  }
}
