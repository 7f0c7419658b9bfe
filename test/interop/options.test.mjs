/**
 * The kernel's TCP options one by one, with us as client and as server, over IPv4 and IPv6, at four
 * MTUs: each connection carries a megabyte each way across a half-close, and both ends tell what
 * they agreed on. With DPDK_NET_LONG=1 every combination, else each option by itself.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { NAMESPACE } from './kit/enter.mjs';
import { Kernel, sh } from './kit/kernel.mjs';
import { NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const MB = 1_000_000;
const FIRST_PORT = 5100;
const isLong = process.env.DPDK_NET_LONG === '1';

/** How a kernel starts, and what each case departs from. */
const USUAL = {
  tcp_ecn: 2,
  tcp_timestamps: 1,
  tcp_sack: 1,
  tcp_window_scaling: 1,
  tcp_fastopen: 1,
};
const OUR_ECN = ['off', 'passive', 'on', 'accurate'];
const IP_HEADER = { 4: 20, 6: 40 };
const TCP_HEADER = 20;
const TIMESTAMPS = 12;

const kernel = new Kernel();
after(() => kernel.close());

/** Whether the kernel takes the value; older ones know no tcp_ecn 3 (RFC 9768). */
function kernelKnows(setting) {
  try {
    sh(`sysctl -qw net.ipv4.${setting}`);
    return true;
  } catch (error) {
    if (!/Invalid argument/.test(error.stderr)) throw error;
    return false;
  }
}

const knowsAccurate = kernelKnows('tcp_ecn=3');
const KERNEL_ECN = knowsAccurate ? [0, 1, 2, 3] : [0, 1, 2];

/** Whether ECN comes of it: somebody asks and the other is willing. */
function expectedEcn({ tcp_ecn: theirs }, ours, weOpen) {
  if (weOpen) return (ours === 'on' || ours === 'accurate') && theirs !== 0;
  return ours !== 'off' && (theirs === 1 || theirs === 3);
}

async function weConnect(ours, ends, port) {
  await kernel.run(Peer.listen, { host: ends.theirs, port });
  const [conversation] = await Promise.all([
    ours.connect(ends.theirs, port),
    kernel.run(Peer.keepAccepted, { port }),
  ]);
  return conversation;
}

async function theKernelConnects(ours, ends, port) {
  const listener = ours.listen(port);
  const [conversation] = await Promise.all([
    listener.accept(),
    kernel.run(Peer.keepConnected, { host: ends.ours, port }),
  ]);
  listener.close();
  return conversation;
}

/** What the kernel says of the connection: the words of `ss -ti`, and its numbers by name. */
function kernelInfo(port) {
  const text = sh(`ss -Htino state connected ( sport = :${port} or dport = :${port} )`);
  const details = text.split('\n').find((line) => /^\s.*rto:/.test(line));
  assert.ok(details !== undefined, `ss has no connection at port ${port}: ${text}`);
  const words = details.trim().split(/\s+/);
  const number = (name) =>
    Number(words.find((word) => word.startsWith(`${name}:`))?.slice(name.length + 1));
  return { words: new Set(words), mss: number('mss'), pmtu: number('pmtu') };
}

/** How many packets with a mark for ECN-capable transport the kernel got. */
function markedPackets(family) {
  const name = family === 4 ? 'IpExtInECT0Pkts' : 'Ip6InECT0Pkts';
  return Number(sh(`nstat -asz ${name}`).match(new RegExp(`${name}\\s+(\\d+)`))[1]);
}

/** A megabyte one way, FIN, a megabyte the other way across the half-close, FIN. */
async function halfCloses(conversation) {
  const expected = { bytes: MB, sha256: Pattern.digest(MB) };
  const [there] = await Promise.all([kernel.run(Peer.digest), conversation.sendPattern(MB)]);
  assert.deepEqual(there, expected);
  await conversation.until(() => conversation.socket.unacknowledged === 0);
  assert.match(conversation.socket.stateName, /^FIN-WAIT-[12]$/);
  const [here] = await Promise.all([
    conversation.digest(),
    kernel.run(Peer.sendPattern, { bytes: MB }),
  ]);
  assert.deepEqual(here, expected);
  conversation.close();
  assert.equal(await conversation.closed(), '');
}

/** One connection, and that both ends agreed on exactly what the settings allow. */
async function cell(ours, { port, settings, ecn, family, weOpen, ends, mtu }) {
  const open = weOpen ? weConnect : theKernelConnects;
  const conversation = await open(ours, ends, port);
  const info = conversation.socket.info();
  const theirs = kernelInfo(port);
  const hasEcn = expectedEcn(settings, ecn, weOpen);
  const timestamps = settings.tcp_timestamps === 1;
  const sack = settings.tcp_sack === 1;
  const scaling = settings.tcp_window_scaling === 1;
  const agreed = { timestamps, sack, windowScaling: scaling, ecn: hasEcn };
  const { words } = theirs;
  assert.deepEqual(
    {
      timestamps: info.timestamps,
      sack: info.sack,
      windowScaling: info.windowScaling,
      ecn: info.ecn,
    },
    agreed,
    'our side',
  );
  assert.deepEqual(
    {
      timestamps: words.has('ts'),
      sack: words.has('sack'),
      windowScaling: [...words].some((word) => word.startsWith('wscale:')),
      ecn: words.has('ecn'),
    },
    agreed,
    `the kernel's side: ${[...words].join(' ')}`,
  );
  const mss = mtu - IP_HEADER[family] - TCP_HEADER - (timestamps ? TIMESTAMPS : 0);
  assert.deepEqual([info.pathMtu, info.sendMss], [mtu, mss]);
  assert.deepEqual([theirs.pmtu, theirs.mss], [mtu, mss]);
  const before = markedPackets(family);
  await halfCloses(conversation);
  const marked = markedPackets(family) - before;
  // Ours are marked, by the segment or by the run of segments that the kernel coalesced.
  if (hasEcn) assert.ok(marked > 0, 'none of our segments was marked');
  else assert.equal(marked, 0);
}

/** The settings of the kernel that are tried: each by itself, or all combinations. */
function variations() {
  const single = [
    {},
    ...KERNEL_ECN.map((tcp_ecn) => ({ tcp_ecn })),
    { tcp_timestamps: 0 },
    { tcp_sack: 0 },
    { tcp_window_scaling: 0 },
    { tcp_fastopen: 3 },
  ];
  if (!isLong) return single.map((change) => ({ ...USUAL, ...change }));
  const bits = [0, 1];
  const combined = KERNEL_ECN.flatMap((tcp_ecn) =>
    bits.flatMap((tcp_timestamps) =>
      bits.flatMap((tcp_sack) =>
        bits.map((tcp_window_scaling) => ({
          tcp_ecn,
          tcp_timestamps,
          tcp_sack,
          tcp_window_scaling,
        })),
      ),
    ),
  );
  return [...combined, { ...USUAL, tcp_fastopen: 3 }];
}

function apply(settings) {
  const values = Object.entries(settings).map(([name, value]) => `net.ipv4.${name}=${value}`);
  sh(`sysctl -qw ${values.join(' ')}`);
}

/** A port for each connection: what is left of the last one is not taken for it. */
let nextPort = FIRST_PORT;

/** Every cell of one MTU and one mode of ours; how many. */
async function cells(ours, ecn, mtu, ends, all) {
  let count = 0;
  for (const [index, settings] of all.entries()) {
    apply(settings);
    for (const [family, weOpen] of openings(mtu, index)) {
      const here = { port: nextPort++, settings, ecn, family, weOpen, ends: ends[family], mtu };
      await cell(ours, here).catch((error) => {
        error.message = `${JSON.stringify({ ...here, ends: undefined })}: ${error.message}`;
        throw error;
      });
      count++;
    }
  }
  apply(USUAL);
  return count;
}

/** Families and who opens. In the short run two of the four, in turns. */
function openings(mtu, index) {
  const both = [true, false];
  // IPv6 needs 1,280 bytes.
  if (mtu < 1280) return both.map((weOpen) => [4, weOpen]);
  if (isLong) return [4, 6].flatMap((family) => both.map((weOpen) => [family, weOpen]));
  const turn = index % 2 === 0;
  return both.map((weOpen) => [weOpen === turn ? 4 : 6, weOpen]);
}

const TAP_ENDS = {
  4: { ours: OURS[4], theirs: THEIRS[4] },
  6: { ours: OURS[6], theirs: THEIRS[6] },
};
const BIG_ENDS = {
  4: { ours: '10.80.0.2', theirs: '10.80.0.1' },
  6: { ours: 'fd80::2', theirs: 'fd80::1' },
};

/** net_tap and af_packet have no frames of 9,000 bytes (1,522 and 1,518); net_pcap has. */
function bigOurs(tcp) {
  sh('ip link add name vours type veth peer name vtheirs');
  for (const name of ['vours', 'vtheirs']) sh(`ip link set dev ${name} up mtu 9000`);
  sh('ip address add 10.80.0.1/24 dev vtheirs');
  sh('ip address add fd80::1/64 dev vtheirs nodad');
  // A packet socket gets what a card would have cut: frames of 64 KB. So none are made.
  sh('ethtool -K vtheirs tso off gso off tx off');
  const addresses = ['10.80.0.2/24', 'fd80::2/64'];
  return new Ours({ tcp, mtu: 9000, device: 'net_pcap0,iface=vours', addresses });
}

/** What is tried at an MTU: all of it at 1,500, elsewhere what changes the sizes of segments. */
function forMtu(mtu) {
  if (isLong || mtu === 1500) return variations();
  return [USUAL, { ...USUAL, tcp_timestamps: 0 }, { ...USUAL, tcp_sack: 0, tcp_ecn: 1 }];
}

for (const mtu of [576, 1280, 1500, 9000]) {
  for (const ecn of isLong || mtu === 1500 ? OUR_ECN : ['passive']) {
    test(`the kernel's options at an MTU of ${mtu}, our ECN ${ecn}`, async (t) => {
      const tcp = { timeWaitMs: 0, ecn };
      const isBig = mtu > 1504;
      const ours = isBig ? bigOurs(tcp) : new Ours({ tcp, mtu });
      // Without ECN of ours the kernel's changes nothing else: one mode tries all the rest.
      const all = forMtu(mtu).filter(
        (settings) => isLong || mtu !== 1500 || ecn === 'on' || settings.tcp_ecn !== USUAL.tcp_ecn,
      );
      const count = await cells(ours, ecn, mtu, isBig ? BIG_ENDS : TAP_ENDS, all);
      t.diagnostic(`${count} connections in ${NAMESPACE}; kernel ECN ${KERNEL_ECN.join(', ')}`);
      assert.deepEqual(ours.close(), NOTHING);
      if (isBig) sh('ip link delete dev vours');
    });
  }
}
