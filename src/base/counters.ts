/**
 * Named counters: a name and an operator's sentence each, one float64 per counter.
 *
 * Float64 because counts outlive int32 and adding to a typed array allocates nothing. The array
 * may lie on shared memory: one writer, any number of readers.
 * @module
 */

export interface CounterName {
  readonly name: string;
  /** One sentence for the person who sees this number grow. */
  readonly meaning: string;
}

/** A family of counters, declared once at module load: `const FOO = family.add('foo', '...')`. */
export class CounterFamily {
  readonly names: CounterName[] = [];

  /** Declares a counter and returns its index. */
  add(name: string, meaning: string): number {
    this.names.push({ name, meaning });
    return this.names.length - 1;
  }

  /** Fresh zeros for one stack, on `buffer` when given. */
  values(buffer?: ArrayBufferLike, byteOffset = 0): Float64Array {
    return buffer === undefined
      ? new Float64Array(this.names.length)
      : new Float64Array(buffer, byteOffset, this.names.length);
  }

  /** The counters that are not zero, by name. */
  report(values: Float64Array): Record<string, number> {
    const report: Record<string, number> = {};
    for (const [index, { name }] of this.names.entries()) {
      const value = values[index]!;
      if (value !== 0) report[name] = value;
    }
    return report;
  }
}
