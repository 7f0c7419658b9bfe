/**
 * Writes test/packetdrill/cells: one script for each state of a connection and kind of segment.
 *
 *     node tools/gen-cells.mjs [--check]
 *
 * What is expected comes from RFC 9293 3.10.7, with the checks of RFC 5961, not from the stack; where
 * those leave a choice, docs/decisions/0012-cells.md says which is ours. `--check` compares with what
 * lies there and ends with exit status 1 when it differs.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { at } from './house/root.mjs';

const folder = at('test/packetdrill/cells/');

const LISTEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0`;
const SYN_SENT = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>`;
const SYN_RECEIVED = `${LISTEN}
+0 < 40000 > 8080 S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>`;
/** 100 bytes went each way, so that there are old numbers. */
const CONNECTED = `${SYN_RECEIVED}
+.01 < . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 < P. 1:101(100) ack 1 win 1000
+0 > . 1:1(0) ack 101
+0 read(4, ..., 1000) = 100
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 101
+.01 < . 101:101(0) ack 101 win 1000`;
const ESTABLISHED = `${CONNECTED}
+0 write(4, ..., 100) = 100
+0 > P. 101:201(100) ack 101`;
const FIN_WAIT_1 = `${CONNECTED}
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 101:101(0) ack 101`;
const FIN_WAIT_2 = `${FIN_WAIT_1}
+.01 < . 101:101(0) ack 102 win 1000`;
const CLOSING = `${FIN_WAIT_1}
+.01 < F. 101:101(0) ack 101 win 1000
+0 > . 102:102(0) ack 102`;
const TIME_WAIT = `${FIN_WAIT_2}
+.01 < F. 101:101(0) ack 102 win 1000
+0 > . 102:102(0) ack 102`;
const CLOSE_WAIT = `${CONNECTED}
+0 < F. 101:101(0) ack 101 win 1000
+0 > . 101:101(0) ack 102`;
const LAST_ACK = `${CLOSE_WAIT}
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 101:101(0) ack 102`;

/** The states that know both sides' numbers: SND.UNA, SND.NXT, RCV.NXT, and what is still received. */
const SYNCHRONIZED = {
  established: {
    prelude: ESTABLISHED,
    una: 101,
    nxt: 201,
    rcv: 101,
    takes: true,
    linux: 'ESTABLISHED',
  },
  'fin-wait-1': {
    prelude: FIN_WAIT_1,
    una: 101,
    nxt: 102,
    rcv: 101,
    takes: true,
    linux: 'FIN_WAIT1',
  },
  'fin-wait-2': {
    prelude: FIN_WAIT_2,
    una: 102,
    nxt: 102,
    rcv: 101,
    takes: true,
    linux: 'FIN_WAIT2',
  },
  'close-wait': {
    prelude: CLOSE_WAIT,
    una: 101,
    nxt: 101,
    rcv: 102,
    takes: false,
    linux: 'CLOSE_WAIT',
  },
  closing: { prelude: CLOSING, una: 101, nxt: 102, rcv: 102, takes: false, linux: 'CLOSING' },
  'last-ack': { prelude: LAST_ACK, una: 101, nxt: 102, rcv: 102, takes: false, linux: 'LAST_ACK' },
  'time-wait': {
    prelude: TIME_WAIT,
    una: 102,
    nxt: 102,
    rcv: 102,
    takes: false,
    linux: 'TIME_WAIT',
  },
};

/** Beyond the window of 65535, and an ACK below SND.UNA - MAX.SND.WND, which is 1000. */
const BEYOND = 70000;
const TOO_OLD = 5000;

const seq = (first, length = 0) => `${first}:${first + length}(${length})`;
const is = (state) => `+0 %{ assert tcpi_state == TCP_${state} }%`;
const wrapped = (number) => (number + 2 ** 32) % 2 ** 32;

/** Each kind: [what comes, why this is right, the lines that follow]. Lines are joined. */
function synchronizedCells(name, { una, nxt, rcv, takes, linux }) {
  const ack = `+0 > . ${seq(nxt)} ack ${rcv}`;
  const acks = (bytes) => `+0 > . ${seq(nxt)} ack ${rcv + bytes}`;
  const same = is(linux);
  const win = 'win 1000';
  const gone = `${is('CLOSE')}\n+0 < . ${seq(rcv)} ack ${nxt} ${win}\n+0 > R ${seq(nxt)}`;
  const timeWait = name === 'time-wait';
  const text = (received) => (takes ? received : same);
  const read = (bytes) => `+0 read(4, ..., 1000) = ${bytes}\n${same}`;
  // The state after an ACK of all that was sent.
  const acked = { 'fin-wait-1': 'FIN_WAIT2', closing: 'TIME_WAIT' }[name] ?? linux;
  const finNext = { established: 'CLOSE_WAIT', 'fin-wait-1': 'CLOSING', 'fin-wait-2': 'TIME_WAIT' }[
    name
  ];
  const resets = takes || name === 'close-wait';
  const reset = resets ? '+0 read(4, ..., 10) = -1 ECONNRESET (Connection reset by peer)\n' : '';
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
    'rst-exact': [`< R ${seq(rcv)} win 0`, 'second: the connection is reset', `${reset}${gone}`],
    'rst-in-window': [
      `< R ${seq(rcv + 1000)} win 0`,
      'RFC 5961 3.2: not the exact number, so a challenge ACK',
      `${ack}\n${same}`,
    ],
    'rst-out-of-window': [`< R ${seq(rcv + BEYOND)} win 0`, 'RFC 5961 3.2: dropped silently', same],
    'rst-old': [`< R ${seq(rcv - 50)} win 0`, 'RFC 5961 3.2: dropped silently', same],
    urg: [
      `< PU. ${seq(rcv, 10)} ack ${una} ${win} urg 10`,
      takes ? 'RFC 6093: the data is taken in line' : 'sixth: behind the FIN it is ignored',
      text(`${acks(10)}\n${read(10)}`),
    ],
    'no-flags': [`< - ${seq(rcv, 10)} ${win}`, 'fifth: without ACK it is dropped', same],
    'fin-without-ack': [`< F ${seq(rcv)} ${win}`, 'fifth: without ACK it is dropped', same],
    'syn-fin': [`< SF ${seq(rcv)} ${win}`, 'no honest peer sends this: dropped', same],
  };
}

function synReceivedCells() {
  const win = 'win 1000';
  const ack = '+0 > . 1:1(0) ack 1';
  const still = is('SYN_RECV');
  const opened = '+0 accept(3, ..., ...) = 4\n+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0';
  const open = `${opened}\n${is('ESTABLISHED')}`;
  const listens = `${is('CLOSE')}
+0 < . 1:1(0) ack 1 ${win}
+0 > R 1:1(0)
+0 accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)`;
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
    'rst-exact': ['< R 1:1(0) win 0', 'second: back to LISTEN', listens],
    'rst-in-window': [
      '< R 1001:1001(0) win 0',
      'RFC 5961 3.2: not the exact number, so a challenge ACK',
      `${ack}\n${still}`,
    ],
    'rst-out-of-window': [`< R ${seq(BEYOND)} win 0`, 'RFC 5961 3.2: dropped silently', still],
    'rst-old': ['< R 0:0(0) win 0', 'RFC 5961 3.2: dropped silently', still],
    urg: [
      `< PU. 1:11(10) ack 1 ${win} urg 10`,
      'fifth to seventh: established, and the data taken in line',
      `+0 > . 1:1(0) ack 11\n${open}\n+0 read(4, ..., 1000) = 10`,
    ],
    'no-flags': [`< - 1:11(10) ${win}`, 'fifth: without ACK it is dropped', still],
    'fin-without-ack': [`< F 1:1(0) ${win}`, 'fifth: without ACK it is dropped', still],
    'syn-fin': [`< SF 1:1(0) ${win}`, 'no honest peer sends this: dropped', still],
  };
}

function synSentCells() {
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
function unsynchronizedCells(name) {
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

/** Every script by its path below test/packetdrill/cells. */
function scripts() {
  const found = new Map();
  const add = (state, prelude, cells) => {
    for (const [kind, [packet, why, then]] of Object.entries(cells)) {
      const title = `// ${state.toUpperCase()}: ${kind.replaceAll('-', ' ')}. ${why}.`;
      const before = prelude === '' ? '0' : `${prelude}\n\n+0`;
      found.set(`${state}/${kind}.pkt`, `${title}\n${before} ${packet}\n${then}\n`);
    }
  };
  add('closed', '', unsynchronizedCells('closed'));
  add('listen', LISTEN, unsynchronizedCells('listen'));
  add('syn-sent', SYN_SENT, synSentCells());
  add('syn-received', SYN_RECEIVED, synReceivedCells());
  for (const [name, state] of Object.entries(SYNCHRONIZED)) {
    add(name, state.prelude, synchronizedCells(name, state));
  }
  return found;
}

const wanted = scripts();
if (process.argv.includes('--check')) {
  const there = existsSync(folder)
    ? readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.pkt'))
    : [];
  const wrong = [...new Set([...there, ...wanted.keys()])].filter(
    (path) => !there.includes(path) || readFileSync(folder + path, 'utf8') !== wanted.get(path),
  );
  if (wrong.length > 0) {
    console.error(`run node tools/gen-cells.mjs: ${wrong.slice(0, 5).join(', ')}`);
    process.exitCode = 1;
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of wanted) {
    mkdirSync(folder + path.split('/')[0], { recursive: true });
    writeFileSync(folder + path, text);
  }
  console.log(`${wanted.size} scripts in test/packetdrill/cells`);
}
