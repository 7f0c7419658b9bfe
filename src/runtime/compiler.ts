/**
 * How V8 is set up for the stack: what it inlines, and when it frees the memory of Buffers.
 *
 * The path is made of small functions with names; V8 stops inlining after 920 bytes of bytecode
 * per function, so a segment costs some sixty calls. A larger budget only moves where compiled
 * code begins and ends. See docs/decisions/0008 for what it buys.
 * @module
 */
import { setFlagsFromString } from 'node:v8';

let tuned = false;

/** Raises the inlining budget for functions compiled from now on, and the rest. Idempotent; no-op off V8. */
export function tuneCompiler(): void {
  if (tuned || process.versions['bun'] !== undefined) return;
  tuned = true;
  setFlagsFromString('--max-inlined-bytecode-size=600');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2500');
  // The smallest - a field of a header, a test - do not count towards it, as many as there are.
  setFlagsFromString('--max-inlined-bytecode-size-small=80');
  // Each 64 KiB that net.Socket gives to a program is a Buffer of its own. V8 frees their memory beside
  // the program, late enough to count it as in use once more and to begin a collection of the whole
  // heap because of it: some three for 1,000 such Buffers (docs/decisions/0036). So: at once.
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
