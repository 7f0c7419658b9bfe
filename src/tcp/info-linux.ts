/**
 * A connection's information under Linux's names and in Linux's units: struct tcp_info of
 * include/uapi/linux/tcp.h, field by field. For scripts written for Linux (src/testing) and for
 * people who know `ss -ti`.
 *
 * Windows are in segments, times in microseconds unless Linux has milliseconds, 'none' is what
 * Linux has for it. Fields that Linux always leaves at zero are zero here, too. So
 * are busy_time, rwnd_limited and sndbuf_limited, stop watches which each segment would have to start
 * and stop; and rehash, since a connection here keeps its path. rcv_rtt is what the receive window grows
 * by, and that is the sender's measurement (memory.ts).
 * @module
 */
import type { TcpInfo } from './info.ts';
import * as State from './state.ts';

/** TCPI_OPT_*: bits of tcpi_options. */
const OPT_TIMESTAMPS = 1;
const OPT_SACK = 2;
const OPT_WSCALE = 4;
const OPT_ECN = 8;
const OPT_ECN_SEEN = 16;

const INFINITE_SSTHRESH = 0x7fffffff;
const NO_MIN_RTT = 0xffffffff;
const NO_RATE_LIMIT = 2 ** 64;

/** enum tcp_state of include/net/tcp_states.h, by our state's name. */
const STATES: Readonly<Record<string, number>> = {
  [State.stateName(State.ESTABLISHED)]: 1,
  [State.stateName(State.SYN_SENT)]: 2,
  [State.stateName(State.SYN_RECEIVED)]: 3,
  [State.stateName(State.FIN_WAIT_1)]: 4,
  [State.stateName(State.FIN_WAIT_2)]: 5,
  [State.stateName(State.TIME_WAIT)]: 6,
  [State.stateName(State.CLOSED)]: 7,
  [State.stateName(State.CLOSE_WAIT)]: 8,
  [State.stateName(State.LAST_ACK)]: 9,
  [State.stateName(State.LISTEN)]: 10,
  [State.stateName(State.CLOSING)]: 11,
};

/** enum tcp_ca_state; TCP_CA_CWR (2) is not told apart. */
const CA_STATES: Readonly<Record<TcpInfo['congestionState'], number>> = {
  open: 0,
  disorder: 1,
  recovery: 3,
  loss: 4,
};

/** struct tcp_info, by name. */
export function linuxInfo(info: TcpInfo): Record<string, number> {
  return { ...byteFields(info), ...intFields(info), ...longFields(info) };
}

/** The fields of a byte or less. */
function byteFields(info: TcpInfo): Record<string, number> {
  return {
    tcpi_state: STATES[info.state] ?? 7,
    tcpi_ca_state: CA_STATES[info.congestionState],
    tcpi_retransmits: info.retransmits,
    tcpi_probes: info.probes,
    tcpi_backoff: info.backoff,
    tcpi_options:
      (info.timestamps ? OPT_TIMESTAMPS : 0) |
      (info.sack ? OPT_SACK : 0) |
      (info.windowScaling ? OPT_WSCALE : 0) |
      (info.ecn ? OPT_ECN : 0) |
      (info.ecnSeen ? OPT_ECN_SEEN : 0),
    tcpi_snd_wscale: info.sendScale,
    tcpi_rcv_wscale: info.receiveScale,
    tcpi_delivery_rate_app_limited: info.appLimited ? 1 : 0,
    tcpi_fastopen_client_fail: 0,
  };
}

/** The fields up to tcpi_total_retrans. */
function intFields(info: TcpInfo): Record<string, number> {
  const mss = info.sendMss > 0 ? info.sendMss : 1;
  const segments = (bytes: number): number => Math.floor(bytes / mss);
  return {
    tcpi_rto: info.rtoMs * 1000,
    tcpi_ato: info.delayedAckMs * 1000,
    tcpi_snd_mss: info.sendMss,
    tcpi_rcv_mss: info.receiveMss,
    tcpi_unacked: info.unacked,
    tcpi_sacked: info.sacked,
    tcpi_lost: info.lost,
    tcpi_retrans: info.retransmitted,
    tcpi_fackets: 0,
    tcpi_last_data_sent: info.lastSentMs,
    tcpi_last_ack_sent: 0,
    tcpi_last_data_recv: info.lastDataReceivedMs,
    tcpi_last_ack_recv: info.lastReceivedMs,
    tcpi_pmtu: info.pathMtu,
    tcpi_rcv_ssthresh: info.receiveWindowLimit,
    tcpi_rtt: info.rttUs,
    tcpi_rttvar: info.rttVarUs,
    tcpi_snd_ssthresh: Number.isFinite(info.ssthreshBytes)
      ? segments(info.ssthreshBytes)
      : INFINITE_SSTHRESH,
    tcpi_snd_cwnd: segments(info.cwndBytes),
    tcpi_advmss: info.advertisedMss,
    tcpi_reordering: info.reordering,
    tcpi_rcv_rtt: info.rttUs,
    tcpi_rcv_space: info.receiveWindowLimit,
    tcpi_total_retrans: info.totalRetransmits,
  };
}

/** The fields behind, which came with Linux 3.15 and later. */
function longFields(info: TcpInfo): Record<string, number> {
  return {
    tcpi_pacing_rate: info.pacingRate,
    tcpi_max_pacing_rate: Number.isFinite(info.maxPacingRate) ? info.maxPacingRate : NO_RATE_LIMIT,
    tcpi_bytes_acked: info.bytesAcked,
    tcpi_bytes_received: info.bytesReceived,
    tcpi_segs_out: info.segmentsOut,
    tcpi_segs_in: info.segmentsIn,
    tcpi_notsent_bytes: info.notSentBytes,
    tcpi_min_rtt: info.minRttUs === 0 ? NO_MIN_RTT : info.minRttUs,
    tcpi_data_segs_in: info.dataSegmentsIn,
    tcpi_data_segs_out: info.dataSegmentsOut,
    tcpi_delivery_rate: info.deliveryRate,
    tcpi_busy_time: 0,
    tcpi_rwnd_limited: 0,
    tcpi_sndbuf_limited: 0,
    tcpi_delivered: info.delivered,
    tcpi_delivered_ce: info.deliveredCe,
    tcpi_bytes_sent: info.bytesSent,
    tcpi_bytes_retrans: info.bytesRetransmitted,
    tcpi_dsack_dups: info.dsacksIn,
    tcpi_reord_seen: info.reorderingSeen,
    tcpi_rcv_ooopack: info.outOfOrderIn,
    tcpi_snd_wnd: info.sendWindow,
    tcpi_rcv_wnd: info.receiveWindow,
    tcpi_rehash: 0,
    tcpi_total_rto: info.timeouts,
    tcpi_total_rto_recoveries: info.timeoutRecoveries,
    tcpi_total_rto_time: info.timeoutMs,
  };
}
