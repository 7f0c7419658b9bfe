/**
 * Parts of an application that start in the order of what they need, and stop the other way round.
 * @module
 */

/** A part: devices, metrics, a cache of the program's own. */
export interface Subsystem<Context> {
  readonly name: string;
  /** Names of those that have to run before it, and as long as it does. */
  readonly needs?: readonly string[];
  /** Rejects when it can not start; what it has begun by then it ends itself. */
  start(context: Context): void | Promise<void>;
  /** Called only when it has started. */
  stop?(context: Context): void | Promise<void>;
}

/** Names that do not fit together: a twin, one that is missing, a circle. */
export class SubsystemError extends Error {
  override readonly name: string = 'SubsystemError';
}

/**
 * In an order in which each comes after what it needs; otherwise as they were given. Throws
 * SubsystemError.
 */
export function inOrder<Context>(subsystems: readonly Subsystem<Context>[]): Subsystem<Context>[] {
  const byName = new Map<string, Subsystem<Context>>();
  for (const subsystem of subsystems) {
    if (byName.has(subsystem.name)) {
      throw new SubsystemError(`there are two subsystems called '${subsystem.name}'`);
    }
    byName.set(subsystem.name, subsystem);
  }
  const order: Subsystem<Context>[] = [];
  const way: string[] = [];
  const visit = (subsystem: Subsystem<Context>): void => {
    if (order.includes(subsystem)) return;
    if (way.includes(subsystem.name)) {
      const circle = [...way.slice(way.indexOf(subsystem.name)), subsystem.name];
      throw new SubsystemError(`subsystems need each other in a circle: ${circle.join(' -> ')}`);
    }
    way.push(subsystem.name);
    for (const name of subsystem.needs ?? []) {
      const needed = byName.get(name);
      if (needed === undefined) {
        const all = [...byName.keys()].join(', ');
        throw new SubsystemError(
          `subsystem '${subsystem.name}' needs '${name}', which there is not; there are ${all}`,
        );
      }
      visit(needed);
    }
    way.pop();
    order.push(subsystem);
  };
  for (const subsystem of subsystems) visit(subsystem);
  return order;
}

/** Those that run, so that they can be stopped. */
export class RunningSubsystems<Context> {
  readonly #context: Context;
  readonly #started: Subsystem<Context>[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Starts all of them. When one fails, those that have started are stopped again, last first,
   * and its error is thrown.
   */
  async start(subsystems: readonly Subsystem<Context>[]): Promise<void> {
    for (const subsystem of inOrder(subsystems)) {
      try {
        await subsystem.start(this.#context);
      } catch (error) {
        const failures = await this.stop();
        if (failures.length === 0) throw error;
        throw new AggregateError(
          [error, ...failures],
          `${(error as Error).message}; and stopping the others failed, too`,
        );
      }
      this.#started.push(subsystem);
    }
  }

  /** Stops all, last first, also when one fails. Returns the errors. */
  async stop(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (;;) {
      const subsystem = this.#started.pop();
      if (subsystem === undefined) return failures;
      try {
        await subsystem.stop?.(this.#context);
      } catch (error) {
        failures.push(error);
      }
    }
  }
}
