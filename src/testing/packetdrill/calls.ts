/**
 * The calls of a script: each takes its arguments to what the stack's sockets do, and gives back
 * what Linux would return.
 *
 * A call is a function to be tried again until it does not return null; null means that it blocks.
 * @module
 */
import type { Stack } from '../../stack/stack.ts';
import { ANY, addressOf, fieldOf, first, vectorBytes } from './arguments.ts';
import {
  attempt,
  DatagramFile,
  done,
  EpollFile,
  type File,
  failed,
  type Outcome,
  StreamFile,
} from './files.ts';
import { Polling } from './polling.ts';
import { getOption, numberOf, optionName, setOption } from './socket-options.ts';
import { type CallSpec, Unsupported, type Value } from './syntax.ts';
import { CONSTANTS } from './values.ts';

export type Try = () => Outcome | null;

/** Where `...` in place of an address leads. */
export interface Defaults {
  readonly local: string;
  readonly remote: string;
  readonly bindPort: number;
  readonly connectPort: number;
}

const C = CONSTANTS as Record<string, number>;
const RECEIVE_FLAGS = C['MSG_DONTWAIT']! | C['MSG_NOSIGNAL']! | C['MSG_PEEK']!;
const SEND_FLAGS = C['MSG_DONTWAIT']! | C['MSG_NOSIGNAL']! | C['MSG_OOB']! | C['MSG_FASTOPEN']!;

export class Calls {
  readonly files: Map<number, File> = new Map();
  readonly #stack: Stack;
  readonly #defaults: Defaults;
  readonly #polling: Polling;
  readonly #table: Readonly<Record<string, (call: CallSpec, line: number) => Try>>;

  /** `now`: microseconds, for calls with a timeout. */
  constructor(stack: Stack, defaults: Defaults, now: () => number) {
    this.#stack = stack;
    this.#defaults = defaults;
    this.#polling = new Polling(this.files, now);
    this.#table = {
      socket: (call, line) => this.#socket(call, line),
      bind: (call) => this.#bind(call),
      listen: ({ args }) => this.#stream(args, (file) => file.listen(numberOf(args[1]))),
      accept: (call) => this.#accept(call, 0),
      accept4: (call) => this.#accept(call, numberOf(call.args[3])),
      connect: ({ args }) => this.#connect(args),
      read: ({ args }, line) => this.#read(args[0], numberOf(args[2]), 0, line),
      recv: ({ args }, line) => this.#read(args[0], numberOf(args[2]), numberOf(args[3]), line),
      recvfrom: ({ args }, line) => this.#read(args[0], numberOf(args[2]), numberOf(args[3]), line),
      readv: ({ args }, line) => this.#read(args[0], vectorBytes(args[1]), 0, line),
      recvmsg: ({ args }, line) =>
        this.#read(args[0], vectorBytes(fieldOf(args[1], 'msg_iov')), numberOf(args[2]), line),
      write: ({ args }, line) => this.#write(args[0], numberOf(args[2]), 0, ANY, line),
      send: ({ args }, line) =>
        this.#write(args[0], numberOf(args[2]), numberOf(args[3]), ANY, line),
      sendto: ({ args }, line) =>
        this.#write(args[0], numberOf(args[2]), numberOf(args[3]), args[4] ?? ANY, line),
      writev: ({ args }, line) => this.#write(args[0], vectorBytes(args[1]), 0, ANY, line),
      sendmsg: ({ args }, line) => {
        const bytes = vectorBytes(fieldOf(args[1], 'msg_iov'));
        const to = fieldOf(args[1], 'msg_name') ?? ANY;
        return this.#write(args[0], bytes, numberOf(args[2]), to, line);
      },
      close: ({ args }) => this.#close(numberOf(args[0])),
      shutdown: ({ args }, line) => this.#shutdown(args, line),
      setsockopt: ({ args }, line) => this.#setOption(args, line),
      getsockopt: ({ args }, line) => this.#getOption(args, line),
      fcntl: ({ args }, line) => this.#control(args, line),
      ioctl: ({ args }, line) => this.#ioctl(args, line),
      poll: ({ args }) => this.#polling.poll(args),
      epoll_create: (call) => this.#epollCreate(call),
      epoll_create1: (call) => this.#epollCreate(call),
      epoll_ctl: ({ args }) => this.#polling.control(args),
      epoll_wait: ({ args }) => this.#polling.wait(args),
    };
  }

  /** When the timeout of the last call that had one ends; Infinity: none. */
  get deadline(): number {
    return this.#polling.deadline;
  }

  /** Throws Unsupported for what this runner has not. */
  start(call: CallSpec, line: number): Try {
    const begin = this.#table[call.name];
    if (begin === undefined) throw new Unsupported(line, `the call ${call.name}()`);
    const action = begin(call, line);
    return () => attempt(action);
  }

  #file(value: Value | undefined): File | undefined {
    return this.files.get(numberOf(value));
  }

  #stream(args: readonly Value[], action: (file: StreamFile) => Outcome | null): Try {
    return () => {
      const file = this.#file(args[0]);
      if (file === undefined) return failed('EBADF');
      return file instanceof StreamFile ? action(file) : failed('EOPNOTSUPP');
    };
  }

  /** Descriptors are numbered as the script says; without a say, the lowest free one. */
  #open(file: File, call: CallSpec): Outcome {
    let fd = call.result ?? 3;
    if (fd < 0) fd = 3;
    while (this.files.has(fd)) fd++;
    this.files.set(fd, file);
    return done(fd);
  }

  #socket(call: CallSpec, line: number): Try {
    const type = numberOf(call.args[1]);
    const kind = type & 0xf;
    if (kind !== C['SOCK_STREAM'] && kind !== C['SOCK_DGRAM']) {
      throw new Unsupported(line, 'sockets other than SOCK_STREAM and SOCK_DGRAM');
    }
    return () => {
      const stream = kind === C['SOCK_STREAM'];
      const file = stream ? new StreamFile(this.#stack) : new DatagramFile(this.#stack);
      file.nonBlocking = (type & C['SOCK_NONBLOCK']!) !== 0;
      return this.#open(file, call);
    };
  }

  #bind({ args }: CallSpec): Try {
    const { local, bindPort } = this.#defaults;
    return () => {
      const file = this.#file(args[0]);
      const to = addressOf(args[1], local, bindPort);
      if (file instanceof StreamFile) {
        if (file.bound !== null) return failed('EINVAL');
        file.bound = to;
      } else if (file instanceof DatagramFile) file.socket.bind(to.address, to.port);
      else return failed('EBADF');
      return done(0);
    };
  }

  #accept(call: CallSpec, flags: number): Try {
    return this.#stream(call.args, (file) => {
      if (file.listener === null) return failed('EINVAL');
      const accepted = file.accept();
      if (accepted === null) return file.nonBlocking ? failed('EAGAIN') : null;
      accepted.nonBlocking = (flags & C['SOCK_NONBLOCK']!) !== 0;
      return this.#open(accepted, call);
    });
  }

  #connect(args: readonly Value[]): Try {
    const { remote, connectPort } = this.#defaults;
    const to = addressOf(args[1], remote, connectPort);
    let started = false;
    return () => {
      const file = this.#file(args[0]);
      if (file instanceof DatagramFile) {
        file.socket.connect(to.address!, to.port);
        return done(0);
      }
      if (!(file instanceof StreamFile)) return failed('EBADF');
      if (file.listener !== null) return failed('EISCONN');
      if (file.socket !== null && !started) return again(file);
      if (!started) file.connect(to.address!, to.port);
      started = true;
      return file.nonBlocking ? failed('EINPROGRESS') : file.connected();
    };
  }

  #read(fd: Value | undefined, most: number, flags: number, line: number): Try {
    if ((flags & ~RECEIVE_FLAGS) !== 0) throw new Unsupported(line, 'these flags of recv()');
    return () => {
      const file = this.#file(fd);
      let outcome: Outcome | null;
      if (file instanceof StreamFile) {
        outcome = file.read(most, (flags & C['MSG_PEEK']!) !== 0);
      } else if (file instanceof DatagramFile) outcome = file.read(most);
      else return failed('EBADF');
      const waits = !file.nonBlocking && (flags & C['MSG_DONTWAIT']!) === 0;
      return outcome === null && !waits ? failed('EAGAIN') : outcome;
    };
  }

  #write(fd: Value | undefined, count: number, flags: number, to: Value, line: number): Try {
    if ((flags & ~SEND_FLAGS) !== 0) throw new Unsupported(line, 'these flags of send()');
    const { remote, connectPort } = this.#defaults;
    let written = 0;
    let isOpening = false;
    return () => {
      const file = this.#file(fd);
      if (file instanceof DatagramFile) {
        const connected = file.socket.remotePort !== 0;
        return file.write(count, connected ? null : addressOf(to, remote, connectPort));
      }
      if (!(file instanceof StreamFile)) return failed('EBADF');
      const waits = !file.nonBlocking && (flags & C['MSG_DONTWAIT']!) === 0;
      if ((flags & C['MSG_FASTOPEN']!) !== 0 && file.socket === null) {
        const { address, port } = addressOf(to, remote, connectPort);
        file.connect(address!, port, true);
        isOpening = !file.hasCookie;
        if (isOpening && !waits) return failed('EINPROGRESS');
      }
      // Without a cookie Linux takes no data before the connection is there.
      if (isOpening && file.isOpening) return null;
      for (;;) {
        const outcome = file.write(count - written, (flags & C['MSG_OOB']!) !== 0);
        if (outcome !== null && outcome.result >= 0) written += outcome.result;
        if (outcome !== null && outcome.result < 0) return written > 0 ? done(written) : outcome;
        if (written === count) return done(written);
        if (waits) return null;
        if (outcome === null) return written > 0 ? done(written) : failed('EAGAIN');
      }
    };
  }

  #close(fd: number): Try {
    return () => {
      const file = this.files.get(fd);
      if (file === undefined) return failed('EBADF');
      this.files.delete(fd);
      file.close();
      return done(0);
    };
  }

  #shutdown(args: readonly Value[], line: number): Try {
    if (numberOf(args[1]) === C['SHUT_RD']) throw new Unsupported(line, 'shutdown(SHUT_RD)');
    return this.#stream(args, ({ socket }) => {
      if (socket === null || socket.stateName === 'CLOSED') return failed('ENOTCONN');
      socket.shutdown();
      return done(0);
    });
  }

  #setOption(args: readonly Value[], line: number): Try {
    const level = numberOf(args[1]);
    const name = optionName(level, numberOf(args[2]));
    return () => {
      const file = this.#file(args[0]);
      if (file === undefined) return failed('EBADF');
      const outcome = setOption(file, level, name, first(args[3]));
      if (outcome === null) throw new Unsupported(line, `setsockopt(${name})`);
      return outcome;
    };
  }

  #getOption(args: readonly Value[], line: number): Try {
    const level = numberOf(args[1]);
    const name = optionName(level, numberOf(args[2]));
    return () => {
      const file = this.#file(args[0]);
      if (file === undefined) return failed('EBADF');
      const outcome = getOption(file, level, name, first(args[3]));
      if (outcome === null) throw new Unsupported(line, `getsockopt(${name})`);
      return outcome;
    };
  }

  #control(args: readonly Value[], line: number): Try {
    const command = numberOf(args[1]);
    const bit = C['O_NONBLOCK']!;
    if (command !== C['F_GETFL'] && command !== C['F_SETFL']) {
      throw new Unsupported(line, 'fcntl() other than F_GETFL and F_SETFL');
    }
    return () => {
      const file = this.#file(args[0]);
      if (file === undefined) return failed('EBADF');
      if (command === C['F_GETFL']) return done(C['O_RDWR']! | (file.nonBlocking ? bit : 0));
      file.nonBlocking = (numberOf(args[2]) & bit) !== 0;
      return done(0);
    };
  }

  #ioctl(args: readonly Value[], line: number): Try {
    const request = numberOf(args[1]);
    const read: Readonly<Record<number, (file: StreamFile) => number>> = {
      [C['SIOCINQ']!]: (file) => file.socket?.readable ?? 0,
      [C['SIOCOUTQ']!]: (file) => file.socket?.unacknowledged ?? 0,
      [C['SIOCOUTQNSD']!]: (file) => file.socket?.unsent ?? 0,
    };
    const value = read[request];
    if (value === undefined)
      throw new Unsupported(line, 'ioctl() but for SIOCINQ, SIOCOUTQ, SIOCOUTQNSD');
    return this.#stream(args, (file) => {
      const expected = args[2] ?? ANY;
      if (expected.kind === 'any') return done(0);
      const actual = value(file);
      const wanted = numberOf(expected);
      return actual === wanted ? done(0) : { ...done(0), wrong: `it is ${actual}, not ${wanted}` };
    });
  }

  #epollCreate(call: CallSpec): Try {
    return () => this.#open(new EpollFile(), call);
  }
}

/** A second connect(): how the first one goes. */
function again(file: StreamFile): Outcome {
  if (!file.connecting) return failed(file.hasError ? file.takeError() : 'EISCONN');
  return file.connected() ?? failed('EALREADY');
}
