/**
 * Flow rules: what becomes of received frames that match a pattern.
 *
 * A port looks at its rules in the order of their creation; the first that matches a frame decides.
 * A part of a pattern that is left out matches anything; ports match only what has them, so no
 * later fragment. text.ts has rules as text, words.ts as the addon reads them.
 * @module
 */
import type { Prefix } from '../base/address.ts';

/** First and last, both included. */
export type PortRange = readonly [number, number];

export interface FlowPattern {
  /** Six bytes each. */
  readonly srcMac?: Uint8Array;
  readonly dstMac?: Uint8Array;
  /** The Ethernet type, behind VLAN tags. */
  readonly etherType?: number;
  /** The (innermost) VLAN identifier. */
  readonly vlan?: number;
  readonly version?: 4 | 6;
  /** Both of the family that `version` says, when it does. */
  readonly src?: Prefix;
  readonly dst?: Prefix;
  /** The IP protocol: 6 TCP, 17 UDP; of IPv6 the one behind the extension headers. */
  readonly protocol?: number;
  /** Only with TCP or UDP. */
  readonly srcPorts?: PortRange;
  readonly dstPorts?: PortRange;
}

/**
 * What becomes of a frame. With none of these it goes its way and is counted, as all are.
 */
export interface FlowAction {
  readonly drop?: boolean;
  /** The queues that its hash chooses among; one: that queue. */
  readonly queues?: readonly number[];
  /** Any 32-bit number but -1, which stands in the frame's RX_MARK. */
  readonly mark?: number;
}

export interface FlowRule {
  readonly pattern: FlowPattern;
  readonly action: FlowAction;
}
