import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as Arp from './arp.ts';
import * as Ethernet from './ethernet.ts';
import * as Icmpv4 from './icmpv4.ts';
import * as Icmpv6 from './icmpv6.ts';
import * as Ipv4 from './ipv4.ts';
import * as Ipv6 from './ipv6.ts';
import * as Mac from './mac.ts';
import * as Udp from './udp.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const words = fc.tuple(int32, int32, int32, int32);

const view = new DataView(new ArrayBuffer(128));
/** Odd on purpose: frames have no alignment. */
const AT = 13;

test('Ethernet: what write() writes, the readers read', () => {
  fc.assert(
    fc.property(u16, int32, u16, int32, u16, (dstHigh, dstLow, srcHigh, srcLow, type) => {
      Ethernet.write(view, AT, dstHigh, dstLow, srcHigh, srcLow, type);
      assert.deepEqual(
        [
          Ethernet.dstHigh(view, AT),
          Ethernet.dstLow(view, AT),
          Ethernet.srcHigh(view, AT),
          Ethernet.srcLow(view, AT),
          Ethernet.type(view, AT),
        ],
        [dstHigh, dstLow, srcHigh, srcLow, type],
      );
    }),
  );
});

test('Ethernet: writeTag() puts the tag between source and type', () => {
  Ethernet.write(view, AT, 1, 2, 3, 4, Ethernet.ETHERTYPE_IPV4);
  Ethernet.writeTag(view, AT, 0x6007, Ethernet.ETHERTYPE_IPV6);
  assert.equal(Ethernet.type(view, AT), Ethernet.ETHERTYPE_VLAN);
  assert.equal(Ethernet.tci(view, AT), 0x6007);
  assert.equal(Ethernet.taggedType(view, AT), Ethernet.ETHERTYPE_IPV6);
  assert.equal(Ethernet.srcLow(view, AT), 4);
});

test('Ethernet: check() wants the header, and the tag when there is one', () => {
  Ethernet.write(view, AT, 1, 2, 3, 4, Ethernet.ETHERTYPE_IPV4);
  assert.equal(Ethernet.check(view, AT, 13), false);
  assert.equal(Ethernet.check(view, AT, 14), true);
  Ethernet.writeTag(view, AT, 7, Ethernet.ETHERTYPE_IPV4);
  assert.equal(Ethernet.check(view, AT, 17), false);
  assert.equal(Ethernet.check(view, AT, 18), true);
  assert.deepEqual(
    [Ethernet.isGroup(0x0100), Ethernet.isGroup(0x0200), Ethernet.isGroup(0xffff)],
    [true, false, true],
  );
});

test('ARP: what write() writes, the readers read, and check() accepts', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(Arp.REQUEST, Arp.REPLY),
      u16,
      int32,
      int32,
      u16,
      int32,
      int32,
      (op, sh, sl, si, th, tl, ti) => {
        Arp.write(view, AT, op, sh, sl, si, th, tl, ti);
        assert.deepEqual(
          [
            Arp.operation(view, AT),
            Arp.senderHigh(view, AT),
            Arp.senderLow(view, AT),
            Arp.senderIp(view, AT),
            Arp.targetHigh(view, AT),
            Arp.targetLow(view, AT),
            Arp.targetIp(view, AT),
          ],
          [op, sh, sl, si, th, tl, ti],
        );
        assert.equal(Arp.check(view, AT, Arp.LENGTH), true);
      },
    ),
  );
});

test('ARP: check() refuses short packets and other hardware, protocols and lengths', () => {
  const write = (): void => Arp.write(view, AT, Arp.REQUEST, 1, 2, 3, 4, 5, 6);
  write();
  assert.equal(Arp.check(view, AT, 27), false);
  for (const at of [1, 3, 4, 5]) {
    write();
    view.setUint8(AT + at, 99);
    assert.equal(Arp.check(view, AT, 28), false);
  }
});

test('IPv4: what write() writes, the readers read', () => {
  fc.assert(
    fc.property(
      u8,
      u16,
      u16,
      u16,
      u8,
      u8,
      int32,
      int32,
      (tos, total, id, flags, ttl, protocol, src, dst) => {
        Ipv4.write(view, AT, tos, total, id, flags, ttl, protocol, src, dst);
        assert.deepEqual(
          [
            Ipv4.version(view, AT),
            Ipv4.headerLength(view, AT),
            Ipv4.tos(view, AT),
            Ipv4.ecn(view, AT),
            Ipv4.totalLength(view, AT),
            Ipv4.id(view, AT),
            Ipv4.flagsAndOffset(view, AT),
            Ipv4.fragmentOffset(view, AT),
            Ipv4.ttl(view, AT),
            Ipv4.protocol(view, AT),
            Ipv4.checksum(view, AT),
            Ipv4.src(view, AT),
            Ipv4.dst(view, AT),
          ],
          [4, 20, tos, tos & 3, total, id, flags, (flags & 0x1fff) * 8, ttl, protocol, 0, src, dst],
        );
      },
    ),
  );
});

test('IPv4: check() refuses what does not fit', () => {
  const write = (total: number): void => Ipv4.write(view, AT, 0, total, 0, 0, 64, 6, 1, 2);
  write(40);
  assert.equal(Ipv4.check(view, AT, 40), true);
  assert.equal(Ipv4.check(view, AT, 41), true);
  assert.equal(Ipv4.check(view, AT, 39), false);
  assert.equal(Ipv4.check(view, AT, 19), false);
  write(19);
  assert.equal(Ipv4.check(view, AT, 40), false);
  for (const first of [0x65, 0x44, 0x4b]) {
    write(40);
    view.setUint8(AT, first);
    assert.equal(Ipv4.check(view, AT, 40), false);
  }
});

test('IPv6: what the writers write, the readers read', () => {
  fc.assert(
    fc.property(
      u8,
      fc.nat(0xfffff),
      u16,
      u8,
      u8,
      words,
      words,
      (classByte, flow, length, next, hops, src, dst) => {
        Ipv6.write(view, AT, classByte, flow, length, next, hops);
        Ipv6.writeSrc(view, AT, ...src);
        Ipv6.writeDst(view, AT, ...dst);
        assert.deepEqual(
          [
            Ipv6.version(view, AT),
            Ipv6.trafficClass(view, AT),
            Ipv6.ecn(view, AT),
            Ipv6.flowLabel(view, AT),
            Ipv6.payloadLength(view, AT),
            Ipv6.nextHeader(view, AT),
            Ipv6.hopLimit(view, AT),
          ],
          [6, classByte, classByte & 3, flow, length, next, hops],
        );
        assert.deepEqual(
          [0, 1, 2, 3].map((word) => Ipv6.src(view, AT, word)),
          src,
        );
        assert.deepEqual(
          [0, 1, 2, 3].map((word) => Ipv6.dst(view, AT, word)),
          dst,
        );
      },
    ),
  );
});

test('IPv6: check() refuses what does not fit, and jumbograms', () => {
  Ipv6.write(view, AT, 0, 0, 8, 17, 64);
  assert.equal(Ipv6.check(view, AT, 48), true);
  assert.equal(Ipv6.check(view, AT, 47), false);
  assert.equal(Ipv6.check(view, AT, 39), false);
  Ipv6.setPayloadLength(view, AT, 0);
  assert.equal(Ipv6.check(view, AT, 48), false);
  Ipv6.write(view, AT, 0, 0, 8, 17, 64);
  view.setUint8(AT, 0x45);
  assert.equal(Ipv6.check(view, AT, 48), false);
});

test('IPv6: the fragment header is read as written', () => {
  fc.assert(
    fc.property(u8, fc.nat(8191), fc.boolean(), int32, (next, units, more, id) => {
      const field = units * 8 + (more ? Ipv6.MORE_FRAGMENTS : 0);
      Ipv6.writeFragment(view, AT, next, field, id);
      assert.deepEqual(
        [
          Ipv6.extensionNext(view, AT),
          Ipv6.fragmentOffsetAndFlag(view, AT),
          Ipv6.fragmentId(view, AT),
        ],
        [next, field, id],
      );
    }),
  );
});

test('ICMP of both families: what write() writes, the readers read', () => {
  fc.assert(
    fc.property(u8, u8, int32, u16, (type, code, rest, sum) => {
      for (const Icmp of [Icmpv4, Icmpv6]) {
        Icmp.write(view, AT, type, code, rest);
        assert.equal(Icmp.checksum(view, AT), 0);
        Icmp.setChecksum(view, AT, sum);
        assert.deepEqual(
          [Icmp.type(view, AT), Icmp.code(view, AT), Icmp.checksum(view, AT)],
          [type, code, sum],
        );
        assert.equal(
          ((Icmp.echoId(view, AT) << 16) | Icmp.echoSequence(view, AT)) >>> 0,
          rest >>> 0,
        );
      }
      assert.equal(Icmpv4.mtu(view, AT), rest & 0xffff);
      assert.equal(Icmpv6.mtu(view, AT), rest);
      assert.equal(Icmpv6.flags(view, AT), rest);
    }),
  );
});

test('ICMP: errors are told from questions', () => {
  assert.deepEqual([3, 4, 5, 11, 12].map(Icmpv4.isError), [true, true, true, true, true]);
  assert.deepEqual([0, 8, 13].map(Icmpv4.isError), [false, false, false]);
  assert.deepEqual([1, 4, 127, 128, 135].map(Icmpv6.isError), [true, true, true, false, false]);
  assert.deepEqual(
    [Icmpv4.check(7), Icmpv4.check(8), Icmpv6.check(7), Icmpv6.check(8)],
    [false, true, false, true],
  );
});

test('NDP: target and link-layer option are read as written', () => {
  fc.assert(
    fc.property(words, u16, int32, (target, macHigh, macLow) => {
      Icmpv6.writeTarget(view, AT, ...target);
      assert.deepEqual(
        [0, 1, 2, 3].map((word) => Icmpv6.target(view, AT, word)),
        target,
      );
      const optionAt = AT + Icmpv6.NEIGHBOR_LENGTH;
      Icmpv6.writeLinkOption(view, optionAt, Icmpv6.OPTION_TARGET_LINK, macHigh, macLow);
      assert.equal(Icmpv6.checkOptions(view, optionAt, optionAt + 8), true);
      assert.equal(
        Icmpv6.findOption(view, optionAt, optionAt + 8, Icmpv6.OPTION_TARGET_LINK),
        optionAt,
      );
      assert.equal(
        Icmpv6.findOption(view, optionAt, optionAt + 8, Icmpv6.OPTION_MTU),
        Icmpv6.NO_OPTION,
      );
      assert.deepEqual(
        [Icmpv6.optionMacHigh(view, optionAt), Icmpv6.optionMacLow(view, optionAt)],
        [macHigh, macLow],
      );
    }),
  );
});

test('NDP: checkOptions() refuses options of length 0 and options that overrun', () => {
  const options = (...bytes: number[]): boolean => {
    for (const [i, byte] of bytes.entries()) view.setUint8(AT + i, byte);
    return Icmpv6.checkOptions(view, AT, AT + bytes.length);
  };
  assert.equal(options(), true);
  assert.equal(options(14, 1, 0, 0, 0, 0, 0, 0), true);
  assert.equal(options(14, 0, 0, 0, 0, 0, 0, 0), false);
  assert.equal(options(14, 2, 0, 0, 0, 0, 0, 0), false);
  assert.equal(options(14), false);
});

test('UDP: what write() writes, the readers read', () => {
  fc.assert(
    fc.property(u16, u16, u16, u16, (src, dst, length, sum) => {
      Udp.write(view, AT, src, dst, length);
      assert.equal(Udp.checksum(view, AT), 0);
      Udp.setChecksum(view, AT, sum);
      assert.deepEqual(
        [
          Udp.srcPort(view, AT),
          Udp.dstPort(view, AT),
          Udp.length(view, AT),
          Udp.checksum(view, AT),
        ],
        [src, dst, length, sum],
      );
    }),
  );
});

test('UDP: check() refuses a length below the header, and one beyond the packet', () => {
  Udp.write(view, AT, 1, 2, 12);
  assert.equal(Udp.check(view, AT, 12), true);
  assert.equal(Udp.check(view, AT, 20), true);
  assert.equal(Udp.check(view, AT, 11), false);
  assert.equal(Udp.check(view, AT, 7), false);
  Udp.write(view, AT, 1, 2, 7);
  assert.equal(Udp.check(view, AT, 12), false);
});

test('MAC addresses go to text and back', () => {
  fc.assert(
    fc.property(u16, int32, (high, low) => {
      const bytes = Mac.parse(Mac.format(high, low))!;
      const parsed = new DataView(bytes.buffer);
      assert.deepEqual([parsed.getUint16(0), parsed.getInt32(2)], [high, low]);
    }),
  );
  assert.equal(Mac.format(0x0200, 1), '02:00:00:00:00:01');
  for (const text of ['', '02:00:00:00:00', '02:00:00:00:00:0g', '2:0:0:0:0:1']) {
    assert.equal(Mac.parse(text), null);
  }
});
