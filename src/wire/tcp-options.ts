/**
 * TCP options (RFC 9293 3.2, RFC 7323, RFC 2018).
 *
 * `parse` walks at most 40 bytes and refuses lengths that do not advance or do not fit (the
 * endless loops of AMNESIA:33). Unknown options are skipped.
 * @module
 */
export const KIND_END = 0;
export const KIND_NOP = 1;
export const KIND_MSS = 2;
export const KIND_WINDOW_SCALE = 3;
export const KIND_SACK_PERMITTED = 4;
export const KIND_SACK = 5;
export const KIND_TIMESTAMPS = 8;
export const KIND_FAST_OPEN = 34;
/** RFC 9768: the same counters in two orders. */
export const KIND_ACCECN0 = 172;
export const KIND_ACCECN1 = 174;

/** RFC 7323 2.3: a larger shift is to be taken as 14. */
export const MAX_WINDOW_SCALE = 14;

/** What the options said. One record per stack, valid until the next parse. */
export class TcpOptionValues {
  /** Maximum segment size, 0 when absent. */
  mss = 0;
  /** Window scale, -1 when absent. */
  windowScale = -1;
  sackPermitted = 0;
  /** 1 when timestamps are there. */
  timestamps = 0;
  tsVal = 0;
  tsEcr = 0;
  /** SACK blocks: offset of the first edge and their number. */
  sackAt = 0;
  sackCount = 0;
  /** The Fast Open cookie: where it lies and its length, 0 for a request, -1 when absent. */
  fastOpenAt = 0;
  fastOpenBytes = -1;
  /** AccECN: offset of its first field, 0 when absent; fields of 3 bytes. The second is CE's. */
  accEcnAt = 0;
  accEcnFields = 0;

  clear(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = 0;
    this.timestamps = 0;
    this.sackCount = 0;
    this.fastOpenBytes = -1;
    this.accEcnAt = 0;
  }
}

/** Parses the bytes from `at` to `end`; false when they are malformed. */
export function parse(view: DataView, at: number, end: number, into: TcpOptionValues): boolean {
  into.clear();
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === KIND_END) return true;
    if (kind === KIND_NOP) {
      at++;
      continue;
    }
    if (at + 2 > end) return false;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return false;
    take(view, at, kind, length, into);
    at += length;
  }
  return true;
}

/** One option whose length is known to fit. A known kind of the wrong length is ignored. */
function take(
  view: DataView,
  at: number,
  kind: number,
  length: number,
  into: TcpOptionValues,
): void {
  if (kind === KIND_MSS && length === 4) {
    into.mss = view.getUint16(at + 2);
  } else if (kind === KIND_WINDOW_SCALE && length === 3) {
    const shift = view.getUint8(at + 2);
    into.windowScale = shift > MAX_WINDOW_SCALE ? MAX_WINDOW_SCALE : shift;
  } else if (kind === KIND_SACK_PERMITTED && length === 2) {
    into.sackPermitted = 1;
  } else if (kind === KIND_TIMESTAMPS && length === 10) {
    into.timestamps = 1;
    into.tsVal = view.getInt32(at + 2);
    into.tsEcr = view.getInt32(at + 6);
  } else if (kind === KIND_SACK && length >= 10 && (length - 2) % 8 === 0) {
    into.sackAt = at + 2;
    into.sackCount = (length - 2) >> 3;
  } else if (kind === KIND_FAST_OPEN && isCookieLength(length - 2)) {
    into.fastOpenAt = at + 2;
    into.fastOpenBytes = length - 2;
  } else if ((kind === KIND_ACCECN0 || kind === KIND_ACCECN1) && (length - 2) % 3 === 0) {
    into.accEcnAt = at + 2;
    into.accEcnFields = (length - 2) / 3;
  }
}

/** RFC 7413 4.1.1: 4 to 16 bytes, an even number; none in a request. */
function isCookieLength(bytes: number): boolean {
  return bytes === 0 || (bytes >= 4 && bytes <= 16 && bytes % 2 === 0);
}

/** The longest header: 20 bytes and 40 of options. */
export const MOST_HEADER = 60;

/** Bytes of the Fast Open option with a cookie of so many, padded. */
export function fastOpenLength(bytes: number): number {
  return (bytes + 2 + 3) & ~3;
}

/** Writes the Fast Open option behind as many NOPs as it needs; an empty cookie is a request. */
export function writeFastOpen(view: DataView, at: number, cookie: Uint8Array): void {
  const nops = fastOpenLength(cookie.length) - cookie.length - 2;
  for (let i = 0; i < nops; i++) view.setUint8(at + i, KIND_NOP);
  view.setUint8(at + nops, KIND_FAST_OPEN);
  view.setUint8(at + nops + 1, cookie.length + 2);
  for (const [i, byte] of cookie.entries()) view.setUint8(at + nops + 2 + i, byte);
}

/** Writes the MSS option (4 bytes). */
export function writeMss(view: DataView, at: number, mss: number): void {
  view.setInt32(at, (KIND_MSS << 24) | (4 << 16) | mss);
}

/** Writes NOP and the window scale option (4 bytes). */
export function writeWindowScale(view: DataView, at: number, shift: number): void {
  view.setInt32(at, (KIND_NOP << 24) | (KIND_WINDOW_SCALE << 16) | (3 << 8) | shift);
}

/** What a header of 32 bytes with nothing but timestamps begins its options with. */
export const TIMESTAMPS_ONLY = (KIND_NOP << 24) | (KIND_NOP << 16) | (KIND_TIMESTAMPS << 8) | 10;
/** Bytes of the padded timestamps option. */
export const TIMESTAMPS_LENGTH = 12;

/** Writes two NOPs and the timestamps option (12 bytes). */
export function writeTimestamps(view: DataView, at: number, tsVal: number, tsEcr: number): void {
  view.setInt32(at, TIMESTAMPS_ONLY);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
}

/** Writes two NOPs and the SACK-permitted option (4 bytes). */
export function writeSackPermitted(view: DataView, at: number): void {
  view.setInt32(at, (KIND_NOP << 24) | (KIND_NOP << 16) | (KIND_SACK_PERMITTED << 8) | 2);
}

/** Bytes of the padded AccECN option. */
export const ACCECN_LENGTH = 12;

/** Writes the AccECN option, order 0, and a NOP (12 bytes): 24 bits of each counter. */
export function writeAccEcn(
  view: DataView,
  at: number,
  ect0Bytes: number,
  ceBytes: number,
  ect1Bytes: number,
): void {
  view.setInt32(at, (KIND_ACCECN0 << 24) | (11 << 16) | ((ect0Bytes >>> 8) & 0xffff));
  view.setInt32(at + 4, (ect0Bytes << 24) | (ceBytes & 0xffffff));
  view.setInt32(at + 8, (ect1Bytes << 8) | KIND_NOP);
}
