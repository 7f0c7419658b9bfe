/**
 * Cells of CLOSED, LISTEN, SYN-SENT and SYN-RECEIVED (RFC 9293 3.10.7.1 to 3.10.7.4).
 *
 * A cell is [what comes, why it is answered so, the lines that follow].
 * @module
 */
import { BEYOND, is, seq } from './preludes.mjs';

export function synReceivedCells() {
  const win = 'win 1000';
  const ack = '+0 > . 1:1(0) ack 1';
  const still = is('SYN_RECV');
  const opened = '+0 accept(3, ..., ...) = 4\n+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0';
  const open = `${opened}\n${is('ESTABLISHED')}`;
  return {
    'syn-again': [
      `< S 0:0(0) ${win} <mss 1000>`,
      'our SYN-ACK was lost: it goes again',
      `+0 > S. 0:0(0) ack 1 <mss 1460>\n${still}`,
    ],
    syn: [`< S 1:1(0) ${win}`, 'as RFC 5961 4.2 has it: a challenge ACK', `${ack}\n${still}`],
    'syn-out-of-window': [
      `< S ${seq(BEYOND)} ${win}`,
      'first: not acceptable, so an ACK',
      `${ack}\n${still}`,
    ],
    'syn-ack': [
      `< S. 1:1(0) ack 1 ${win}`,
      'as RFC 5961 4.2 has it: a challenge ACK',
      `${ack}\n${still}`,
    ],
    'ack-in-window': [`< . 1:1(0) ack 1 ${win}`, 'fifth: established', open],
    'ack-old': [
      `< . 1:1(0) ack 0 ${win}`,
      'fifth: not acceptable, so RST',
      `+0 > R 0:0(0)\n${still}`,
    ],
    'ack-of-unsent': [
      `< . 1:1(0) ack 1000 ${win}`,
      'fifth: not acceptable, so RST',
      `+0 > R 1000:1000(0)\n${still}`,
    ],
    'data-in-order': [
      `< . 1:101(100) ack 1 ${win}`,
      'fifth and seventh: established, and the data taken',
      `+0 > . 1:1(0) ack 101\n${open}\n+0 read(4, ..., 1000) = 100`,
    ],
    'data-out-of-order': [
      `< . 1001:1101(100) ack 1 ${win}`,
      'fifth and seventh: established, and a duplicate ACK',
      `${ack}\n${open}`,
    ],
    'data-out-of-window': [
      `< . ${seq(BEYOND, 100)} ack 1 ${win}`,
      'first: not acceptable, so an ACK',
      `${ack}\n${still}`,
    ],
    fin: [
      `< F. 1:1(0) ack 1 ${win}`,
      'fifth and eighth: established, and closed by the peer',
      `+0 > . 1:1(0) ack 2\n${opened}\n${is('CLOSE_WAIT')}\n+0 read(4, ..., 10) = 0`,
    ],
    urg: [
      `< PU. 1:11(10) ack 1 ${win} urg 10`,
      'fifth to seventh: established, and the data taken in line',
      `+0 > . 1:1(0) ack 11\n${open}\n+0 read(4, ..., 1000) = 10`,
    ],
    ...synReceivedResets(),
  };
}

/** RST, and what is dropped without it. */
function synReceivedResets() {
  const win = 'win 1000';
  const ack = '+0 > . 1:1(0) ack 1';
  const still = is('SYN_RECV');
  const listens = `${is('CLOSE')}
+0 < . 1:1(0) ack 1 ${win}
+0 > R 1:1(0)
+0 accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)`;
  return {
    'rst-exact': ['< R 1:1(0) win 0', 'second: back to LISTEN', listens],
    'rst-in-window': [
      '< R 1001:1001(0) win 0',
      'RFC 5961 3.2: not the exact number, so a challenge ACK',
      `${ack}\n${still}`,
    ],
    'rst-out-of-window': [`< R ${seq(BEYOND)} win 0`, 'RFC 5961 3.2: dropped silently', still],
    'rst-old': ['< R 0:0(0) win 0', 'RFC 5961 3.2: dropped silently', still],
    'no-flags': [`< - 1:11(10) ${win}`, 'fifth: without ACK it is dropped', still],
    'fin-without-ack': [`< F 1:1(0) ${win}`, 'fifth: without ACK it is dropped', still],
    'syn-fin': [`< SF 1:1(0) ${win}`, 'no honest peer sends this: dropped', still],
  };
}

export function synSentCells() {
  const win = 'win 1000';
  const still = is('SYN_SENT');
  const drop = (packet) => [packet, 'fifth: neither SYN nor RST: dropped', still];
  const refused = `${is('CLOSE')}
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0
+0 < . 1:1(0) ack 1 ${win}
+0 > R 1:1(0)`;
  return {
    syn: [
      `< S 0:0(0) ${win} <mss 1000>`,
      'fourth: both open at the same time',
      `+0 > S. 0:0(0) ack 1 <mss 1460>\n${is('SYN_RECV')}`,
    ],
    'syn-ack': [
      `< S. 0:0(0) ack 1 ${win} <mss 1000>`,
      'fourth: established',
      `+0 > . 1:1(0) ack 1\n${is('ESTABLISHED')}`,
    ],
    'syn-ack-of-unsent': [
      `< S. 0:0(0) ack 1000 ${win} <mss 1000>`,
      'first: not acceptable, so RST',
      `+0 > R 1000:1000(0)\n${still}`,
    ],
    'ack-in-window': drop(`< . 0:0(0) ack 1 ${win}`),
    'ack-old': [
      `< . 0:0(0) ack 0 ${win}`,
      'first: not acceptable, so RST',
      `+0 > R 0:0(0)\n${still}`,
    ],
    'ack-of-unsent': [
      `< . 0:0(0) ack 1000 ${win}`,
      'first: not acceptable, so RST',
      `+0 > R 1000:1000(0)\n${still}`,
    ],
    'data-in-order': drop(`< . 0:100(100) ack 1 ${win}`),
    'data-out-of-order': drop(`< . 1000:1100(100) ack 1 ${win}`),
    'data-out-of-window': drop(`< . ${seq(BEYOND, 100)} ack 1 ${win}`),
    fin: drop(`< F. 0:0(0) ack 1 ${win}`),
    'rst-exact': ['< R. 0:0(0) ack 1 win 0', 'second: connection refused', refused],
    'rst-in-window': [
      '< R. 0:0(0) ack 1000 win 0',
      'first: not acceptable, and RST is not answered',
      still,
    ],
    'rst-out-of-window': [
      '< R 0:0(0) win 0',
      'second: without an acceptable ACK it is dropped',
      still,
    ],
    urg: drop(`< PU. 0:10(10) ack 1 ${win} urg 10`),
    'no-flags': drop(`< - 0:10(10) ${win}`),
    'fin-without-ack': drop(`< F 0:0(0) ${win}`),
    'syn-fin': [`< SF 0:0(0) ${win}`, 'no honest peer sends this: dropped', still],
  };
}

/** LISTEN and CLOSED have no numbers to compare with: an ACK is answered with RST, whatever it says. */
export function unsynchronizedCells(name) {
  const win = 'win 1000';
  const closed = name === 'closed';
  const why = closed ? 'RFC 9293 3.10.7.1' : 'RFC 9293 3.10.7.2';
  const still = closed
    ? is('CLOSE')
    : `+0 accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)`;
  const reset = (packet, ack) => [
    packet,
    `${why}: an ACK is bad here`,
    `+0 > R ${seq(ack)}\n${still}`,
  ];
  const drop = (packet) => [packet, `${why}: dropped`, still];
  const noAck = (packet, ack) =>
    closed ? [packet, `${why}: RST and ACK`, `+0 > R. 0:0(0) ack ${ack}\n${still}`] : drop(packet);
  return {
    syn: closed
      ? [`< S 0:0(0) ${win}`, `${why}: RST and ACK`, `+0 > R. 0:0(0) ack 1\n${still}`]
      : [
          `< S 0:0(0) ${win} <mss 1000>`,
          `${why}: third, SYN-RECEIVED`,
          `+0 > S. 0:0(0) ack 1 <mss 1460>\n${is('SYN_RECV')}`,
        ],
    'syn-ack': reset(`< S. 0:0(0) ack 1 ${win}`, 1),
    'ack-in-window': reset(`< . 1:1(0) ack 1 ${win}`, 1),
    'ack-old': reset(`< . 1:1(0) ack 0 ${win}`, 0),
    'ack-of-unsent': reset(`< . 1:1(0) ack 1000 ${win}`, 1000),
    'data-in-order': reset(`< . 1:101(100) ack 1 ${win}`, 1),
    'data-out-of-order': reset(`< . 1001:1101(100) ack 1 ${win}`, 1),
    'data-out-of-window': reset(`< . ${seq(BEYOND, 100)} ack 1 ${win}`, 1),
    fin: reset(`< F. 1:1(0) ack 1 ${win}`, 1),
    'rst-exact': drop('< R 1:1(0) win 0'),
    'rst-in-window': drop('< R. 1001:1001(0) ack 1 win 0'),
    'rst-out-of-window': drop(`< R ${seq(BEYOND)} win 0`),
    urg: reset(`< PU. 1:11(10) ack 1 ${win} urg 10`, 1),
    'no-flags': noAck(`< - 1:11(10) ${win}`, 11),
    'fin-without-ack': noAck(`< F 1:1(0) ${win}`, 2),
    'syn-fin': [`< SF 0:0(0) ${win}`, 'no honest peer sends this: dropped', still],
  };
}
