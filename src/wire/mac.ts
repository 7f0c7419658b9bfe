/**
 * MAC addresses as text.
 * @module
 */

/** 'aa:bb:cc:dd:ee:ff' from the first 2 bytes and the last 4. */
export function format(high: number, low: number): string {
  return text([high >> 8, high, low >>> 24, low >>> 16, low >>> 8, low]);
}

/** The same from its 6 bytes. */
export function text(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => (byte & 255).toString(16).padStart(2, '0')).join(':');
}

/** The 6 bytes of 'aa:bb:cc:dd:ee:ff', null when it is not a MAC address. */
export function parse(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return null;
  return Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
}
