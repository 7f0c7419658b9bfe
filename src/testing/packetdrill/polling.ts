/**
 * poll(), epoll_ctl() and epoll_wait() of a script.
 * @module
 */
import { fieldOf } from './arguments.ts';
import type { Try } from './calls.ts';
import { done, EpollFile, type File, failed, type Outcome } from './files.ts';
import { numberOf } from './socket-options.ts';
import type { Value } from './syntax.ts';
import { CONSTANTS } from './values.ts';

const C = CONSTANTS as Record<string, number>;

export class Polling {
  /** When the timeout of the last call ends; Infinity: none. */
  deadline: number = Number.POSITIVE_INFINITY;
  readonly #files: ReadonlyMap<number, File>;
  readonly #now: () => number;

  constructor(files: ReadonlyMap<number, File>, now: () => number) {
    this.#files = files;
    this.#now = now;
  }

  #file(value: Value | undefined): File | undefined {
    return this.#files.get(numberOf(value));
  }

  poll(args: readonly Value[]): Try {
    const entries = args[0]?.kind === 'list' ? args[0].items : [];
    const deadline = this.#deadline(numberOf(args[2]));
    return () => {
      const found = entries.map((entry) => {
        const file = this.#file(fieldOf(entry, 'fd'));
        const always = C['POLLERR']! | C['POLLHUP']!;
        return (file?.ready ?? 0) & (numberOf(fieldOf(entry, 'events')) | always);
      });
      const count = found.filter((bits) => bits !== 0).length;
      if (count === 0 && this.#now() < deadline) return null;
      const wanted = entries.map((entry) => numberOf(fieldOf(entry, 'revents')));
      return compared(done(count), 'revents', found, wanted);
    };
  }

  control(args: readonly Value[]): Try {
    const [operation, fd] = [numberOf(args[1]), numberOf(args[2])];
    return () => {
      const epoll = this.#file(args[0]);
      if (!(epoll instanceof EpollFile) || !this.#files.has(fd)) return failed('EBADF');
      if (operation === C['EPOLL_CTL_ADD'] && epoll.interests.has(fd)) return failed('EEXIST');
      if (operation !== C['EPOLL_CTL_ADD'] && !epoll.interests.has(fd)) return failed('ENOENT');
      if (operation === C['EPOLL_CTL_DEL']) epoll.interests.delete(fd);
      else epoll.interests.set(fd, numberOf(fieldOf(args[3], 'events')));
      return done(0);
    };
  }

  wait(args: readonly Value[]): Try {
    const expected = args[1]?.kind === 'list' ? args[1].items : [args[1]];
    const most = numberOf(args[2]);
    const deadline = this.#deadline(numberOf(args[3]));
    return () => {
      const epoll = this.#file(args[0]);
      if (!(epoll instanceof EpollFile)) return failed('EBADF');
      const always = C['EPOLLERR']! | C['EPOLLHUP']!;
      const found = [...epoll.interests]
        .map(([fd, events]) => (this.#files.get(fd)?.ready ?? 0) & (events | always))
        .filter((bits) => bits !== 0);
      found.length = Math.min(found.length, most);
      if (found.length === 0) return this.#now() < deadline ? null : done(0);
      const wanted = expected
        .filter((value) => value?.kind === 'record')
        .map((value) => numberOf(fieldOf(value, 'events')));
      return compared(done(found.length), 'events', found, wanted);
    };
  }

  /** -1: for ever. */
  #deadline(timeoutMs: number): number {
    this.deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : this.#now() + timeoutMs * 1000;
    return this.deadline;
  }
}

function compared(outcome: Outcome, what: string, found: number[], wanted: number[]): Outcome {
  if (found.join() === wanted.join()) return outcome;
  return { ...outcome, wrong: `${what} are ${found.join()}, not ${wanted.join()}` };
}
