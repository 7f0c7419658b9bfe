/**
 * Bytes for test packets: assembling them and the checksum of RFC 1071, written as the RFC says
 * it and sharing nothing with the code under test.
 * @module
 */

/** Bytes or text; of text each character is one byte (Latin-1). */
export type Payload = Uint8Array | string;

export function toBytes(payload: Payload): Uint8Array {
  if (typeof payload !== 'string') return payload;
  const bytes = new Uint8Array(payload.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = payload.charCodeAt(i);
  return bytes;
}

/** Bytes as text, one character each. */
export function toText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The number as `count` bytes, most significant first. */
export function bigEndian(value: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let rest = value >>> 0;
  for (let i = count - 1; i >= 0; i--) {
    bytes[i] = rest & 0xff;
    rest = rest >>> 8;
  }
  return bytes;
}

/** The Internet checksum of the parts one after another, as a number to write big-endian. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  const bytes = concat(...parts);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return ~sum & 0xffff;
}

/** '02:00:00:00:00:01' as 6 bytes. */
export function macBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) bytes[i] = Number.parseInt(text.slice(3 * i, 3 * i + 2), 16);
  return bytes;
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
