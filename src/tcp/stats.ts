/**
 * What TCP counts besides drops; the names follow SNMP and Linux where they have one.
 * @module
 */
import { CounterFamily } from '../base/counters.ts';

export const family: CounterFamily = new CounterFamily();
const stat = (name: string, meaning: string): number => family.add(name, meaning);

export const SEGMENTS_IN = stat('tcp_segments_in', 'Segments received, bad ones included.');
export const SEGMENTS_OUT = stat(
  'tcp_segments_out',
  'Segments sent; one the port cuts up counts once.',
);
export const ACTIVE_OPENS = stat('tcp_active_opens', 'Connections this side opened.');
export const PASSIVE_OPENS = stat('tcp_passive_opens', 'Connections that peers opened.');
export const ATTEMPT_FAILS = stat(
  'tcp_attempt_fails',
  'Connections that ended before they were established.',
);
export const ESTAB_RESETS = stat(
  'tcp_estab_resets',
  'Established connections that ended with RST.',
);
export const RETRANSMITS = stat('tcp_retransmits', 'Segments sent again.');
export const TIMEOUTS = stat('tcp_timeouts', 'Retransmission timeouts.');
export const FAST_RECOVERIES = stat(
  'tcp_fast_recoveries',
  'Losses found by SACK or duplicate ACKs.',
);
export const TLP_PROBES = stat('tcp_tlp_probes', 'Tail loss probes sent (RFC 8985).');
export const TLP_RECOVERIES = stat('tcp_tlp_recoveries', 'Losses that a tail loss probe repaired.');
export const LOST_RETRANSMITS = stat('tcp_lost_retransmits', 'Repairs that were lost, too.');
export const FULL_UNDO = stat(
  'tcp_full_undo',
  'Recoveries taken back at their end: what was late had arrived (RFC 3522).',
);
export const PARTIAL_UNDO = stat(
  'tcp_partial_undo',
  'Recoveries taken back before their end: the hole was filled by what was late.',
);
export const DSACK_UNDO = stat(
  'tcp_dsack_undo',
  'Recoveries taken back because the peer had got every repair twice (RFC 3708).',
);
export const LOSS_UNDO = stat('tcp_loss_undo', 'Retransmission timeouts taken back.');
export const SPURIOUS_RTOS = stat('tcp_spurious_rtos', 'Timeouts that F-RTO took back (RFC 5682).');
export const SACK_RENEGES = stat('tcp_sack_reneges', 'Peers that threw away what they had sacked.');
export const DSACKS_IN = stat('tcp_dsacks_in', 'Duplicates that a peer told us of (RFC 2883).');
export const DSACKS_OUT = stat('tcp_dsacks_out', 'Duplicates that we told a peer of.');
export const PROBES = stat('tcp_probes', 'Zero-window and keepalive probes sent.');
export const RESETS_OUT = stat('tcp_resets_out', 'RST segments sent.');
export const CHALLENGE_ACKS = stat('tcp_challenge_acks', 'Challenge ACKs sent (RFC 5961).');
export const DELAYED_ACKS = stat('tcp_delayed_acks', 'ACKs sent by the delayed-ACK timer.');
export const OUT_OF_ORDER = stat('tcp_out_of_order', 'Segments that arrived ahead of a hole.');
export const DUPLICATES = stat('tcp_duplicates', 'Segments that held nothing new.');
export const TIME_WAIT_REUSED = stat(
  'tcp_time_wait_reused',
  'TIME-WAIT connections replaced by a new SYN.',
);
export const TIME_WAIT_RECYCLED = stat(
  'tcp_time_wait_recycled',
  'TIME-WAITs ended early by their bound.',
);
export const ABORTS_ON_TIMEOUT = stat(
  'tcp_aborts_on_timeout',
  'Connections given up after too many tries.',
);
export const FAST_RETRANSMITS = stat(
  'tcp_fast_retransmits',
  'Segments sent again in a recovery that no timeout began.',
);
export const TIMEOUT_RETRANSMITS = stat(
  'tcp_timeout_retransmits',
  'Segments sent again after a timeout.',
);
export const SYN_RETRANSMITS = stat('tcp_syn_retransmits', 'SYNs and SYN-ACKs sent again.');
export const RENO_RECOVERIES = stat(
  'tcp_reno_recoveries',
  'Of the fast recoveries those of connections without SACK.',
);
export const REORDERINGS = stat('tcp_reorderings', 'Times a path was seen to reorder.');
export const SACKS_DISCARDED = stat(
  'tcp_sacks_discarded',
  'SACK blocks outside of what was sent, or upside down.',
);
export const KEEPALIVES = stat('tcp_keepalives', 'Of the probes those that keepalive sent.');
export const EMBRYONIC_RESETS = stat(
  'tcp_embryonic_resets',
  'RSTs for connections a peer had begun to open.',
);
export const TIME_WAITS = stat('tcp_time_waits', 'TIME-WAITs that lasted their full time.');
export const ABORTS_ON_DATA = stat(
  'tcp_aborts_on_data',
  'Connections reset: data came after the program had closed the socket.',
);
export const ABORTS_ON_CLOSE = stat(
  'tcp_aborts_on_close',
  'Connections reset: the program closed the socket with input unread.',
);
export const ABORTS_ON_LINGER = stat(
  'tcp_aborts_on_linger',
  'Connections reset: closed with a linger time that was zero, or over.',
);
export const SYN_COOKIES_SENT = stat('tcp_syn_cookies_sent', 'SYNs answered with a cookie.');
export const SYN_COOKIES_RECEIVED = stat(
  'tcp_syn_cookies_received',
  'ACKs of a cookie that made a connection.',
);
export const SYN_COOKIES_FAILED = stat(
  'tcp_syn_cookies_failed',
  'ACKs to a listener, while cookies were out, that were not of one.',
);
export const SYN_QUEUE_FULL_COOKIES = stat(
  'tcp_syn_queue_full_cookies',
  'SYN cookies sent because the half-open connections were at their bound.',
);
export const LISTEN_OVERFLOWS = stat(
  'tcp_listen_overflows',
  'Times that the accept queue had no room.',
);
export const LISTEN_DROPS = stat('tcp_listen_drops', 'SYNs and ACKs dropped by a listener.');
export const ORPHANS_ABORTED = stat(
  'tcp_orphans_aborted',
  'Closed sockets that were reset: their bound, or their patience.',
);
export const BLACK_HOLES = stat(
  'tcp_black_holes',
  'Times segments were made smaller because large ones did not seem to arrive.',
);
export const MTU_PROBES = stat('tcp_mtu_probes', 'Larger segments sent to see if they arrive.');
export const MTU_PROBES_ARRIVED = stat('tcp_mtu_probes_arrived', 'Of these those that arrived.');
export const MTU_PROBES_LOST = stat('tcp_mtu_probes_lost', 'Of these those that did not.');
export const FAST_OPENS = stat('tcp_fast_opens', 'Connections whose peer took data in the SYN.');
export const FAST_OPENS_FAILED = stat(
  'tcp_fast_opens_failed',
  'SYNs with data of which the peer took the SYN only.',
);
export const FAST_OPEN_BLACKHOLES = stat(
  'tcp_fast_open_blackholes',
  'SYNs with Fast Open that were not answered before they went out without.',
);
export const FAST_OPENS_IN = stat(
  'tcp_fast_opens_in',
  'Connections that peers opened with their SYN alone.',
);
export const FAST_OPENS_REFUSED = stat(
  'tcp_fast_opens_refused',
  'SYNs whose Fast Open cookie was not ours, or too old.',
);
export const FAST_OPENS_OVERFLOWED = stat(
  'tcp_fast_opens_overflowed',
  'SYNs with a good cookie at the bound of their listener, or when memory was short.',
);
export const FAST_OPEN_COOKIES_ASKED = stat(
  'tcp_fast_open_cookies_asked',
  'SYNs that asked for a Fast Open cookie.',
);
export const ECN_CONNECTIONS = stat('tcp_ecn_connections', 'Connections that agreed on ECN.');
export const ECN_REDUCTIONS = stat(
  'tcp_ecn_reductions',
  'Windows reduced because a peer told of marks.',
);
export const DELIVERED_CE = stat(
  'tcp_delivered_ce',
  'Segments of ours that arrived with a mark, by accurate feedback (RFC 9768).',
);
export const MEMORY_PRESSURES = stat(
  'tcp_memory_pressures',
  'Times that socket buffers came near their budget.',
);
export const OUT_OF_ORDER_PRUNED = stat(
  'tcp_out_of_order_pruned',
  'Times a connection gave up what had arrived out of order, for lack of memory.',
);
export const WRITES_REFUSED = stat(
  'tcp_writes_refused',
  'Writes that found no memory for all they brought.',
);
export const RECEIVE_LIMITS_RAISED = stat(
  'tcp_receive_limits_raised',
  'Times a connection was given a larger receive buffer.',
);
