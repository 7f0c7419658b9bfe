/**
 * TCP's flags as letters: F S R P U E W A, and a dot for ACK.
 * @module
 */
import type { Cursor } from './lexer.ts';

const LETTERS = 'FSRP.UEWA';

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** The order in which they are written. */
const WRITTEN = 'FSRPUEWA.';

/** `S.`, `FP.`, `SEWA`, `-` for none; a digit stands for the ACE field (RFC 9768). */
export function parseFlags(cursor: Cursor): number {
  if (cursor.skip('-')) return 0;
  const token = cursor.peek();
  const letters = token.kind === 'word' ? /^([FSRPUEWA]*)([0-7]?)$/.exec(token.text) : null;
  let bits = 0;
  if (letters !== null) {
    cursor.take();
    for (const letter of letters[1]!) bits |= 1 << LETTERS.indexOf(letter);
    if (letters[2] !== '') bits |= Number(letters[2]) << LETTERS.indexOf('E');
  }
  if (cursor.skip('.')) return bits | ACK;
  if (letters === null) cursor.fail('flags like S, F., P. or .');
  return bits;
}

export function flagText(bits: number): string {
  let text = '';
  for (const letter of WRITTEN) if ((bits >> LETTERS.indexOf(letter)) & 1) text += letter;
  return text === '' ? '-' : text;
}
