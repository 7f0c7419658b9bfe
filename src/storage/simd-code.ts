/**
 * The code of simd.ts: a WebAssembly module of 900 bytes, written by hand.
 *
 *     func sum(at: i32, length: i32) -> i32:          the 16-bit words, little-endian, added up
 *       4 x 16 bytes at a time, 16, 2, the last byte; then the sum's upper half to its lower
 *     func copy(to: i32, from: i32, length: i32):     upwards; the ranges are apart, or to <= from
 *       4 x 16 bytes at a time, 16, 4, 1
 *     func seal(ipAt: i32):                           both checksums of a plain TCP/IPv4 packet
 *     func isWhole(at: i32, length: i32) -> i32:      1: a plain frame of one, both sums right
 * @module
 */
const I32 = 0x7f;
const V128 = 0x7b;
const I64 = 0x7e;
const VOID = 0x40;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const END_BLOCK = 0x0b;
const BRANCH_IF = 0x0d;
const RETURN = 0x0f;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I32_LOAD = 0x28;
const I32_LOAD8_U = 0x2d;
const I32_LOAD16_U = 0x2f;
const I64_LOAD32_U = 0x35;
const I32_STORE = 0x36;
const I32_STORE8 = 0x3a;
const I32_STORE16 = 0x3b;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I32_NE = 0x47;
const I32_LT_U = 0x49;
const I32_GT_U = 0x4b;
const I32_GE_U = 0x4f;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_AND = 0x71;
const I32_OR = 0x72;
const I32_XOR = 0x73;
const I32_SHL = 0x74;
const I32_SHR_U = 0x76;
const I64_ADD = 0x7c;
const I64_SHR_U = 0x88;
const I32_WRAP_I64 = 0xa7;
const SIMD = 0xfd;
const V128_LOAD = 0x00;
const V128_STORE = 0x0b;
const I32X4_EXTRACT_LANE = 0x1b;
const I32X4_EXTADD_PAIRWISE_I16X8_U = [0x7f];
const I32X4_ADD = [0xae, 0x01];

type Code = readonly number[];

const get = (local: number): Code => [LOCAL_GET, local];
const set = (local: number): Code => [LOCAL_SET, local];
/** Signed LEB128. */
const leb = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...leb(value >> 7)];
const constant = (value: number): Code => [I32_CONST, ...leb(value)];
const advance = (local: number, step: number): Code => [
  ...[...get(local), ...constant(step), I32_ADD],
  ...set(local),
];

/** for (end = cursor + (length & mask); cursor < end; cursor += step) body */
const steps = (
  [cursor, length, end]: readonly [number, number, number],
  mask: number,
  step: number,
  body: Code,
): Code => [
  ...[...get(cursor), ...get(length), ...constant(mask), I32_AND, I32_ADD, ...set(end)],
  ...[BLOCK, VOID, ...get(cursor), ...get(end), I32_GE_U, BRANCH_IF, 0],
  ...[LOOP, VOID, ...body, ...advance(cursor, step)],
  ...[...get(cursor), ...get(end), I32_LT_U, BRANCH_IF, 0, END_BLOCK, END_BLOCK],
];

// The sum's parameters and locals.
const AT = 0;
const LENGTH = 1;
const END = 2;
const LANES = 3;
const TOTAL = 4;

const SUMMED = [AT, LENGTH, END] as const;

/** Leaves the sum of a local's two halves. */
const halvesOf = (local: number): Code => [
  ...[...get(local), ...constant(0xffff), I32_AND],
  ...[...get(local), ...constant(16), I32_SHR_U, I32_ADD],
];

const lane = (index: number): Code => [...get(LANES), SIMD, I32X4_EXTRACT_LANE, index];

/** With LANES on the stack: adds the eight 16-bit words at `at + offset` to them. */
const addVector = (offset: number): Code => [
  ...get(AT),
  ...[SIMD, V128_LOAD, 0, offset],
  ...[SIMD, ...I32X4_EXTADD_PAIRWISE_I16X8_U],
  ...[SIMD, ...I32X4_ADD],
];

const addToTotal = (load: number): Code => [
  ...get(TOTAL),
  ...[...get(AT), load, 0, 0],
  I32_ADD,
  ...set(TOTAL),
];

const SUM_BODY: Code = [
  ...[3, 1, I32, 1, V128, 1, I32],
  ...steps(SUMMED, -64, 64, [
    ...get(LANES),
    ...[...addVector(0), ...addVector(16), ...addVector(32), ...addVector(48)],
    ...set(LANES),
  ]),
  ...steps(SUMMED, 48, 16, [...get(LANES), ...addVector(0), ...set(LANES)]),
  ...[...lane(0), ...lane(1), I32_ADD, ...lane(2), I32_ADD, ...lane(3), I32_ADD, ...set(TOTAL)],
  ...steps(SUMMED, 14, 2, addToTotal(I32_LOAD16_U)),
  ...[...get(LENGTH), ...constant(1), I32_AND, IF, VOID, ...addToTotal(I32_LOAD8_U), END_BLOCK],
  ...halvesOf(TOTAL),
  END_BLOCK,
];

// The copy's.
const TO = 0;
const FROM = 1;
const COPIED = [FROM, 2, 3] as const;

const move = (load: Code, store: Code, offset: number): Code => [
  ...get(TO),
  ...[...get(FROM), ...load, 0, offset],
  ...[...store, 0, offset],
];
const moveVector = (offset: number): Code => move([SIMD, V128_LOAD], [SIMD, V128_STORE], offset);

const COPY_BODY: Code = [
  ...[1, 1, I32],
  ...steps(COPIED, -64, 64, [
    ...[...moveVector(0), ...moveVector(16), ...moveVector(32), ...moveVector(48)],
    ...advance(TO, 64),
  ]),
  ...steps(COPIED, 48, 16, [...moveVector(0), ...advance(TO, 16)]),
  ...steps(COPIED, 12, 4, [...move([I32_LOAD], [I32_STORE], 0), ...advance(TO, 4)]),
  ...steps(COPIED, 3, 1, [...move([I32_LOAD8_U], [I32_STORE8], 0), ...advance(TO, 1)]),
  END_BLOCK,
];

// Frames: Ethernet without a tag, IPv4 without options, TCP.
const IP_AT = 0;
const PACKET = 2;
const WORDS = 3;
const FOLDED = 4;
/** isWhole() has one parameter more, so that the locals have the same numbers in both. */
const SEAL_LOCALS: Code = [3, 2, I32, 1, I64, 1, I32];
const IS_WHOLE_LOCALS: Code = [3, 1, I32, 1, I64, 1, I32];
const ETHERNET = 14;
const IPV4 = 20;
const TCP = 6;
/** EtherType of IPv4 as it is read in little-endian order. */
const ETHERTYPE = 0x0008;
const PLAIN_HEADER = 0x45;
/** More fragments, and the offset: in little-endian order. */
const FRAGMENT = 0xff3f;

/** Folds what lies on the stack to 16 bits; it is below 2^31. */
const fold: Code = [
  ...[...set(FOLDED), ...halvesOf(FOLDED)],
  ...[...set(FOLDED), ...halvesOf(FOLDED)],
];

/** PACKET = the packet's total length, which stands in the header at `at + offset`. */
const readLength = (at: number, offset: number): Code => [
  ...[...get(at), I32_LOAD16_U, 0, offset, LOCAL_TEE, FOLDED, ...constant(8), I32_SHR_U],
  ...[...get(FOLDED), ...constant(0xff), I32_AND, ...constant(8), I32_SHL, I32_OR, ...set(PACKET)],
];

/** The folded sum of the IPv4 header: its five words added up in 64 bits. */
const headerSum = (at: number, offset: number): Code => [
  ...[...get(at), I64_LOAD32_U, 0, offset],
  ...[4, 8, 12, 16].flatMap((word) => [...get(at), I64_LOAD32_U, 0, offset + word, I64_ADD]),
  ...[LOCAL_TEE, WORDS, I32_WRAP_I64, ...set(FOLDED), ...halvesOf(FOLDED)],
  ...[...get(WORDS), I64_CONST, 32, I64_SHR_U, I32_WRAP_I64, I32_ADD],
  ...fold,
];

/** The folded sum of the TCP segment and its pseudo header, of which the addresses lie before it. */
const segmentSum = (at: number, offset: number): Code => [
  ...[...get(at), ...constant(offset + 12), I32_ADD],
  ...[...get(PACKET), ...constant(12), I32_SUB, CALL, 0],
  // The length in network order, and the protocol.
  ...[...get(PACKET), ...constant(IPV4), I32_SUB, LOCAL_TEE, FOLDED, ...constant(8), I32_SHR_U],
  ...[...get(FOLDED), ...constant(0xff), I32_AND, ...constant(8), I32_SHL],
  ...[I32_ADD, ...constant(TCP << 8), I32_ADD, I32_ADD],
  ...fold,
];

/** Stores the complement of a sum where 0 stood while it was made. */
const storeSum = (offset: number, sum: Code): Code => [
  ...[...get(IP_AT), ...constant(0), I32_STORE16, 0, offset],
  ...[...get(IP_AT), ...sum, ...constant(0xffff), I32_XOR, I32_STORE16, 0, offset],
];

const SEAL_BODY: Code = [
  ...SEAL_LOCALS,
  ...readLength(IP_AT, 2),
  ...storeSum(10, headerSum(IP_AT, 0)),
  ...storeSum(IPV4 + 16, segmentSum(IP_AT, 0)),
  END_BLOCK,
];

/** Leaves the block unless the two values on the stack are equal. */
const unless: Code = [I32_NE, BRANCH_IF, 0];
const readByte = (offset: number): Code => [...get(AT), I32_LOAD8_U, 0, offset];
const readHalf = (offset: number): Code => [...get(AT), I32_LOAD16_U, 0, offset];

const IS_WHOLE_BODY: Code = [
  ...IS_WHOLE_LOCALS,
  ...[BLOCK, VOID],
  ...[...get(LENGTH), ...constant(ETHERNET + IPV4 + 20), I32_LT_U, BRANCH_IF, 0],
  ...[...readHalf(12), ...constant(ETHERTYPE), ...unless],
  ...[...readByte(ETHERNET), ...constant(PLAIN_HEADER), ...unless],
  ...[...readByte(ETHERNET + 9), ...constant(TCP), ...unless],
  ...[...readHalf(ETHERNET + 6), ...constant(FRAGMENT), I32_AND, BRANCH_IF, 0],
  ...readLength(AT, ETHERNET + 2),
  ...[...get(PACKET), ...constant(IPV4 + 20), I32_LT_U, BRANCH_IF, 0],
  ...[...get(PACKET), ...constant(ETHERNET), I32_ADD, ...get(LENGTH), I32_GT_U, BRANCH_IF, 0],
  ...[...headerSum(AT, ETHERNET), ...constant(0xffff), ...unless],
  ...[...segmentSum(AT, ETHERNET), ...constant(0xffff), ...unless],
  ...[...constant(1), RETURN],
  END_BLOCK,
  ...constant(0),
  END_BLOCK,
];

/** The module: three types, the imported memory, four functions, their exports, their code. */
export function moduleBytes(): Uint8Array {
  const name = (text: string): Code => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];
  const size = (length: number): Code => [(length & 0x7f) | 0x80, length >> 7];
  const section = (id: number, content: Code): Code => [id, ...size(content.length), ...content];
  const body = (code: Code): Code => [...size(code.length), ...code];
  const type = (parameters: number, results: number): Code => [
    ...[0x60, parameters, ...new Array<number>(parameters).fill(I32)],
    ...[results, ...new Array<number>(results).fill(I32)],
  ];
  const entry = (text: string, index: number): Code => [...name(text), 0, index];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [3, ...type(2, 1), ...type(3, 0), ...type(1, 0)]),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 1]),
    ...section(3, [4, 0, 1, 2, 0]),
    ...section(7, [
      4,
      ...entry('sum', 0),
      ...entry('copy', 1),
      ...entry('seal', 2),
      ...entry('isWhole', 3),
    ]),
    ...section(10, [4, ...[SUM_BODY, COPY_BODY, SEAL_BODY, IS_WHOLE_BODY].flatMap(body)]),
  );
}
