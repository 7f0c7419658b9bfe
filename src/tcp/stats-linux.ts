/**
 * TCP's counters under the names that Linux has for them: the groups Tcp (RFC 4022, what
 * /proc/net/snmp shows) and TcpExt (/proc/net/netstat). For scripts and people who know `nstat`.
 *
 * Left out is what a stack without that mechanism can not count (backlogs, MD5, busy polling)
 * and what would cost a count per segment (TCPHPHits, TCPPureAcks, TCPOrigDataSent).
 * @module
 */
import * as Drop from '../base/drops.ts';
import { CLOSE_WAIT, ESTABLISHED } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

export interface LinuxCounters {
  Tcp: Record<string, number>;
  TcpExt: Record<string, number>;
}

/** Names of TcpExt, and the counter of ours that is the same. */
const TCP_EXT: readonly (readonly [string, number])[] = [
  ['EmbryonicRsts', Stats.EMBRYONIC_RESETS],
  ['TW', Stats.TIME_WAITS],
  ['TWRecycled', Stats.TIME_WAIT_REUSED],
  ['TCPTimeWaitOverflow', Stats.TIME_WAIT_RECYCLED],
  ['DelayedACKs', Stats.DELAYED_ACKS],
  ['TCPRenoRecovery', Stats.RENO_RECOVERIES],
  ['TCPSACKReneging', Stats.SACK_RENEGES],
  ['TCPSACKReorder', Stats.REORDERINGS],
  ['TCPFullUndo', Stats.FULL_UNDO],
  ['TCPPartialUndo', Stats.PARTIAL_UNDO],
  ['TCPDSACKUndo', Stats.DSACK_UNDO],
  ['TCPLossUndo', Stats.LOSS_UNDO],
  ['TCPSpuriousRTOs', Stats.SPURIOUS_RTOS],
  ['TCPLostRetransmit', Stats.LOST_RETRANSMITS],
  ['TCPFastRetrans', Stats.FAST_RETRANSMITS],
  ['TCPSlowStartRetrans', Stats.TIMEOUT_RETRANSMITS],
  ['TCPTimeouts', Stats.TIMEOUTS],
  ['TCPLossProbes', Stats.TLP_PROBES],
  ['TCPLossProbeRecovery', Stats.TLP_RECOVERIES],
  ['TCPDSACKOldSent', Stats.DSACKS_OUT],
  ['TCPDSACKRecv', Stats.DSACKS_IN],
  ['TCPSACKDiscard', Stats.SACKS_DISCARDED],
  ['TCPAbortOnData', Stats.ABORTS_ON_DATA],
  ['TCPAbortOnClose', Stats.ABORTS_ON_CLOSE],
  ['TCPAbortOnTimeout', Stats.ABORTS_ON_TIMEOUT],
  ['TCPAbortOnLinger', Stats.ABORTS_ON_LINGER],
  ['TCPOFOQueue', Stats.OUT_OF_ORDER],
  ['TCPChallengeACK', Stats.CHALLENGE_ACKS],
  ['TCPSynRetrans', Stats.SYN_RETRANSMITS],
  ['TCPKeepAlive', Stats.KEEPALIVES],
  ['TCPFastOpenActive', Stats.FAST_OPENS],
  ['TCPFastOpenActiveFail', Stats.FAST_OPENS_FAILED],
  ['TCPFastOpenBlackhole', Stats.FAST_OPEN_BLACKHOLES],
  ['TCPFastOpenPassive', Stats.FAST_OPENS_IN],
  ['TCPFastOpenPassiveFail', Stats.FAST_OPENS_REFUSED],
  ['TCPFastOpenListenOverflow', Stats.FAST_OPENS_OVERFLOWED],
  ['TCPFastOpenCookieReqd', Stats.FAST_OPEN_COOKIES_ASKED],
  ['SyncookiesSent', Stats.SYN_COOKIES_SENT],
  ['SyncookiesRecv', Stats.SYN_COOKIES_RECEIVED],
  ['SyncookiesFailed', Stats.SYN_COOKIES_FAILED],
  ['TCPReqQFullDoCookies', Stats.SYN_QUEUE_FULL_COOKIES],
  ['ListenOverflows', Stats.LISTEN_OVERFLOWS],
  ['ListenDrops', Stats.LISTEN_DROPS],
  ['TCPAbortOnMemory', Stats.ORPHANS_ABORTED],
  ['TCPMTUPSuccess', Stats.MTU_PROBES_ARRIVED],
  ['TCPMTUPFail', Stats.MTU_PROBES_LOST],
];

/** Names of TcpExt that are drops here. */
const TCP_EXT_DROPS: readonly (readonly [string, number])[] = [
  ['TCPReqQFullDrop', Drop.TCP_SYN_QUEUE_FULL],
  ['PAWSEstab', Drop.TCP_OLD_TIMESTAMP],
  ['OutOfWindowIcmps', Drop.ICMP_NO_FLOW],
  ['TCPRcvQDrop', Drop.TCP_NO_BUFFER],
  ['TCPOFODrop', Drop.TCP_TOO_MANY_HOLES],
];

/** RFC 4022 tcpRtoAlgorithm: other (RFC 6298 came later), as Linux says. */
const RTO_ALGORITHM = 1;

export function linuxCounters(tcp: Tcp): LinuxCounters {
  const { stats, drops } = tcp;
  const ext: Record<string, number> = {};
  for (const [name, index] of TCP_EXT) ext[name] = stats[index]!;
  for (const [name, index] of TCP_EXT_DROPS) ext[name] = drops[index]!;
  ext['TCPSackRecovery'] = stats[Stats.FAST_RECOVERIES]! - stats[Stats.RENO_RECOVERIES]!;
  ext['TCPWinProbe'] = stats[Stats.PROBES]! - stats[Stats.KEEPALIVES]!;
  return { Tcp: snmp(tcp), TcpExt: ext };
}

/** The group Tcp of RFC 4022. */
function snmp(tcp: Tcp): Record<string, number> {
  const { stats, drops, options } = tcp;
  const sumErrors = drops[Drop.TCP_BAD_CHECKSUM]!;
  return {
    RtoAlgorithm: RTO_ALGORITHM,
    RtoMin: options.minRtoMs,
    RtoMax: options.maxRtoMs,
    MaxConn: options.maxConnections,
    ActiveOpens: stats[Stats.ACTIVE_OPENS]!,
    PassiveOpens: stats[Stats.PASSIVE_OPENS]!,
    AttemptFails: stats[Stats.ATTEMPT_FAILS]!,
    EstabResets: stats[Stats.ESTAB_RESETS]!,
    CurrEstab: established(tcp),
    InSegs: stats[Stats.SEGMENTS_IN]!,
    OutSegs: stats[Stats.SEGMENTS_OUT]! - stats[Stats.RETRANSMITS]! - stats[Stats.SYN_RETRANSMITS]!,
    RetransSegs: stats[Stats.RETRANSMITS]! + stats[Stats.SYN_RETRANSMITS]!,
    InErrs: drops[Drop.TCP_MALFORMED]! + drops[Drop.TCP_BAD_FLAGS]! + sumErrors,
    OutRsts: stats[Stats.RESETS_OUT]!,
    InCsumErrors: sumErrors,
  };
}

/** RFC 4022 tcpCurrEstab: ESTABLISHED or CLOSE-WAIT. It walks all connections. */
function established(tcp: Tcp): number {
  let count = 0;
  for (const c of tcp.connections) {
    if (c.state === ESTABLISHED || c.state === CLOSE_WAIT) count++;
  }
  return count;
}
