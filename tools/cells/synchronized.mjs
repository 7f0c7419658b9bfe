/**
 * Cells of the synchronized states, ESTABLISHED to TIME-WAIT (RFC 9293 3.10.7.4).
 *
 * A cell is [what comes, why it is answered so, the lines that follow].
 * @module
 */
import * as Prelude from './preludes.mjs';
import { BEYOND, is, seq, TOO_OLD, wrapped } from './preludes.mjs';

/** The states that know both sides' numbers: SND.UNA, SND.NXT, RCV.NXT, and what is still received. */
export const SYNCHRONIZED = {
  established: {
    prelude: Prelude.ESTABLISHED,
    una: 101,
    nxt: 201,
    rcv: 101,
    takes: true,
    linux: 'ESTABLISHED',
  },
  'fin-wait-1': {
    prelude: Prelude.FIN_WAIT_1,
    una: 101,
    nxt: 102,
    rcv: 101,
    takes: true,
    linux: 'FIN_WAIT1',
  },
  'fin-wait-2': {
    prelude: Prelude.FIN_WAIT_2,
    una: 102,
    nxt: 102,
    rcv: 101,
    takes: true,
    linux: 'FIN_WAIT2',
  },
  'close-wait': {
    prelude: Prelude.CLOSE_WAIT,
    una: 101,
    nxt: 101,
    rcv: 102,
    takes: false,
    linux: 'CLOSE_WAIT',
  },
  closing: {
    prelude: Prelude.CLOSING,
    una: 101,
    nxt: 102,
    rcv: 102,
    takes: false,
    linux: 'CLOSING',
  },
  'last-ack': {
    prelude: Prelude.LAST_ACK,
    una: 101,
    nxt: 102,
    rcv: 102,
    takes: false,
    linux: 'LAST_ACK',
  },
  'time-wait': {
    prelude: Prelude.TIME_WAIT,
    una: 102,
    nxt: 102,
    rcv: 102,
    takes: false,
    linux: 'TIME_WAIT',
  },
};

/** Numbers and lines that the cells of one state share. */
function linesOf(name, { una, nxt, rcv, takes, linux }) {
  const win = 'win 1000';
  const same = is(linux);
  return {
    name,
    una,
    nxt,
    rcv,
    takes,
    linux,
    win,
    same,
    /** An ACK that tells where we stand; acks(n): after n bytes more. */
    ack: `+0 > . ${seq(nxt)} ack ${rcv}`,
    acks: (bytes) => `+0 > . ${seq(nxt)} ack ${rcv + bytes}`,
    /** The connection is no more. */
    gone: `${is('CLOSE')}\n+0 < . ${seq(rcv)} ack ${nxt} ${win}\n+0 > R ${seq(nxt)}`,
    timeWait: name === 'time-wait',
    /** The program reads what came. */
    read: (bytes) => `+0 read(4, ..., 1000) = ${bytes}\n${same}`,
  };
}

export function synchronizedCells(name, state) {
  const lines = linesOf(name, state);
  return { ...synAndAck(lines), ...data(lines), ...finAndReset(lines) };
}

function synAndAck({ name, una, nxt, rcv, linux, win, same, ack, gone, timeWait }) {
  // The state after an ACK of all that was sent.
  const acked = { 'fin-wait-1': 'FIN_WAIT2', closing: 'TIME_WAIT' }[name] ?? linux;
  return {
    syn: [
      `< ${timeWait ? '40000 > 8080 ' : ''}S ${seq(rcv)} ${win}`,
      'RFC 5961 4.2: a challenge ACK',
      `${ack}\n${same}`,
    ],
    'syn-out-of-window': timeWait
      ? [
          `< 40000 > 8080 S ${seq(rcv + BEYOND)} ${win} <mss 1000>`,
          'a new SYN beyond the old numbers may open the next connection',
          `+0 > S. 0:0(0) ack ${rcv + BEYOND + 1} <mss 1460>\n${is('SYN_RECV')}`,
        ]
      : [
          `< S ${seq(rcv + BEYOND)} ${win}`,
          'RFC 5961 4.2: whatever its number, a challenge ACK',
          `${ack}\n${same}`,
        ],
    'syn-ack': [
      `< S. ${seq(rcv)} ack ${nxt} ${win}`,
      'RFC 5961 4.2: a challenge ACK',
      `${ack}\n${same}`,
    ],
    'ack-in-window':
      name === 'last-ack'
        ? [`< . ${seq(rcv)} ack ${nxt} ${win}`, 'our FIN is acknowledged: the end', gone]
        : [
            `< . ${seq(rcv)} ack ${nxt} ${win}`,
            'fifth: it acknowledges what is in flight, and is not answered',
            `${is(acked)}\n+0 %{ assert tcpi_unacked == 0 }%`,
          ],
    'ack-old': [
      `< . ${seq(rcv)} ack ${una - 50} ${win}`,
      'fifth: a duplicate can be ignored',
      same,
    ],
    'ack-too-old': [
      `< . ${seq(rcv)} ack ${wrapped(una - TOO_OLD)} ${win}`,
      'RFC 5961 5.2: below SND.UNA - MAX.SND.WND it is discarded, and an ACK sent',
      `${ack}\n${same}`,
    ],
    'ack-of-unsent': [
      `< . ${seq(rcv)} ack ${nxt + 1000} ${win}`,
      'fifth: it acknowledges what was never sent: an ACK, and drop it',
      `${ack}\n${same}`,
    ],
  };
}

function data({ una, rcv, takes, win, same, ack, acks, read }) {
  const text = (received) => (takes ? received : same);
  return {
    'data-in-order': [
      `< . ${seq(rcv, 100)} ack ${una} ${win}`,
      takes ? 'seventh: taken and acknowledged' : 'seventh: behind the FIN the text is ignored',
      text(`${acks(100)}\n${read(100)}`),
    ],
    'data-out-of-order': [
      `< . ${seq(rcv + 1000, 100)} ack ${una} ${win}`,
      takes
        ? 'RFC 5681 4.2: a duplicate ACK at once'
        : 'seventh: behind the FIN the text is ignored',
      text(`${ack}\n+0 ioctl(4, SIOCINQ, [0]) = 0\n${same}`),
    ],
    'data-out-of-window': [
      `< . ${seq(rcv + BEYOND, 100)} ack ${una} ${win}`,
      'first: not acceptable, so an ACK',
      `${ack}\n${same}`,
    ],
    'data-old': [
      `< . ${seq(rcv - 50, 50)} ack ${una} ${win}`,
      'first: not acceptable, so an ACK',
      `${ack}\n${same}`,
    ],
    urg: [
      `< PU. ${seq(rcv, 10)} ack ${una} ${win} urg 10`,
      takes ? 'RFC 6093: the data is taken in line' : 'sixth: behind the FIN it is ignored',
      text(`${acks(10)}\n${read(10)}`),
    ],
    'no-flags': [`< - ${seq(rcv, 10)} ${win}`, 'fifth: without ACK it is dropped', same],
  };
}

function finAndReset({ name, una, rcv, takes, win, same, ack, acks, gone, timeWait }) {
  const next = { established: 'CLOSE_WAIT', 'fin-wait-1': 'CLOSING', 'fin-wait-2': 'TIME_WAIT' };
  const finNext = next[name];
  const resets = takes || name === 'close-wait';
  const reset = resets ? '+0 read(4, ..., 10) = -1 ECONNRESET (Connection reset by peer)\n' : '';
  return {
    fin: [
      `< F. ${seq(rcv)} ack ${una} ${win}`,
      finNext === undefined ? 'eighth: remain' : 'eighth: the FIN is acknowledged',
      finNext === undefined ? `${timeWait ? `${ack}\n` : ''}${same}` : `${acks(1)}\n${is(finNext)}`,
    ],
    'fin-old': [
      `< F. ${seq(rcv - 1)} ack ${una} ${win}`,
      'first: not acceptable, so an ACK (the peer sends its FIN again when that was lost)',
      `${ack}\n${same}`,
    ],
    'fin-without-ack': [`< F ${seq(rcv)} ${win}`, 'fifth: without ACK it is dropped', same],
    'syn-fin': [
      `< ${timeWait ? '40000 > 8080 ' : ''}SF ${seq(rcv)} ${win}`,
      'no honest peer sends this: dropped',
      same,
    ],
    'rst-exact': [`< R ${seq(rcv)} win 0`, 'second: the connection is reset', `${reset}${gone}`],
    'rst-in-window': [
      `< R ${seq(rcv + 1000)} win 0`,
      'RFC 5961 3.2: not the exact number, so a challenge ACK',
      `${ack}\n${same}`,
    ],
    'rst-out-of-window': [`< R ${seq(rcv + BEYOND)} win 0`, 'RFC 5961 3.2: dropped silently', same],
    'rst-old': [`< R ${seq(rcv - 50)} win 0`, 'RFC 5961 3.2: dropped silently', same],
  };
}
