/**
 * Named counters: a name and an operator's sentence each, one float64 per counter.
 *
 * Float64 because counts outlive int32 and adding to a typed array allocates nothing. The array
 * lies in shared memory where there is such a thing: one writer, any number of readers, no locks.
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

  /** Fresh zeros for one stack. Posted to another thread they stay the same memory. */
  values(): Float64Array {
    const bytes = 8 * this.names.length;
    // A browser page that is not isolated has none.
    return new Float64Array(
      typeof SharedArrayBuffer === 'undefined'
        ? new ArrayBuffer(bytes)
        : new SharedArrayBuffer(bytes),
    );
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
