/**
 * Writer of pcapng files (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump read: one
 * section, any number of Ethernet interfaces, microsecond timestamps.
 * @module
 */

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const LINKTYPE_ETHERNET = 1;

const OPTION_END = 0;
const IF_NAME = 2;
const IF_MAC_ADDRESS = 6;
const EPB_FLAGS = 2;
const EPB_INBOUND = 1;
const EPB_OUTBOUND = 2;

/** Takes the file's bytes piece by piece, each of them whole blocks. Pieces are not reused. */
export type Sink = (bytes: Uint8Array) => void;

export class PcapngWriter {
  readonly #sink: Sink;
  #interfaces = 0;

  /** Writes the section header at once. */
  constructor(sink: Sink) {
    this.#sink = sink;
    const body = new Uint8Array(16);
    const view = new DataView(body.buffer);
    view.setUint32(0, BYTE_ORDER_MAGIC, true);
    view.setUint16(4, 1, true);
    // Section length unknown: all ones.
    view.setInt32(8, -1, true);
    view.setInt32(12, -1, true);
    this.#block(SECTION_HEADER, [body]);
  }

  /** Declares an interface and returns its number. */
  addInterface(name: string, mac: Uint8Array): number {
    const body = new Uint8Array(8);
    new DataView(body.buffer).setUint16(0, LINKTYPE_ETHERNET, true);
    const text = Uint8Array.from(name, (character) => character.charCodeAt(0) & 0x7f);
    const options = [option(IF_NAME, text), option(IF_MAC_ADDRESS, mac), option(OPTION_END)];
    this.#block(INTERFACE_DESCRIPTION, [body, ...options]);
    return this.#interfaces++;
  }

  /**
   * Writes one frame; `timeUs` counts from 1970 or from anything the reader will accept. `length`
   * is the frame's own, when `bytes` are only its beginning.
   */
  frame(
    index: number,
    timeUs: number,
    direction: 'in' | 'out',
    bytes: Uint8Array,
    length: number = bytes.length,
  ): void {
    const head = new Uint8Array(20);
    const view = new DataView(head.buffer);
    view.setUint32(0, index, true);
    view.setUint32(4, Math.floor(timeUs / 4294967296), true);
    view.setUint32(8, timeUs % 4294967296, true);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, length, true);
    const flags = new Uint8Array(4);
    flags[0] = direction === 'in' ? EPB_INBOUND : EPB_OUTBOUND;
    const padding = new Uint8Array(-bytes.length & 3);
    this.#block(ENHANCED_PACKET, [
      head,
      bytes,
      padding,
      option(EPB_FLAGS, flags),
      option(OPTION_END),
    ]);
  }

  /** A block: type, length, body, length again. */
  #block(type: number, parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 12);
    const block = new Uint8Array(length);
    const view = new DataView(block.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, length, true);
    let at = 8;
    for (const part of parts) {
      block.set(part, at);
      at += part.length;
    }
    view.setUint32(at, length, true);
    this.#sink(block);
  }
}

/** Code, length, value, padding to 4 bytes. */
function option(code: number, value: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}
