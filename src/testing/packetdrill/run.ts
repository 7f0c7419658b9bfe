/**
 * Runs a script against a stack of its own, event by event, under virtual time.
 * @module
 */
import { infoOf } from '../../tcp/info.ts';
import { linuxInfo } from '../../tcp/info-linux.ts';
import { Calls, type Try } from './calls.ts';
import { AssertionFailed, execute, type Names } from './expression.ts';
import { type Outcome, StreamFile } from './files.ts';
import { patternByte } from './flows.ts';
import { follows, joined, NO_PACKET, withTimestamp } from './live.ts';
import { type LivePacket, Machine } from './machine.ts';
import { compare, differenceOf, packetText, seconds, timeText } from './notation.ts';
import { parse } from './parse.ts';
import { type Settings, settingsFor } from './settings.ts';
import {
  type CallSpec,
  type PacketSpec,
  type Script,
  ScriptError,
  type ScriptEvent,
  Unsupported,
} from './syntax.ts';
import { translate } from './sysctl.ts';
import { PSH, SYN } from './tcp-flags.ts';
import { STATES } from './values.ts';
import { Wire } from './wire.ts';

export interface DrillOptions {
  /** Packets that the script does not mention at its end make it fail. */
  readonly strict?: boolean;
  /** Settings for every script: 'net.ipv4.tcp_sack=0'. */
  readonly sysctls?: readonly string[];
  /** Added to the peer's sequence numbers, so that they wrap where one likes. */
  readonly remoteIsn?: number;
  readonly seed?: number;
}

export interface DrillResult {
  readonly status: 'passed' | 'failed' | 'unsupported';
  /** Of the event that went wrong; 0: none. */
  readonly line: number;
  /** '' when it passed. */
  readonly message: string;
  /** What the script asked for and did not get, though it went on. */
  readonly notes: readonly string[];
  /** What its print() said. */
  readonly printed: readonly string[];
}

/** Never throws for a script that is wrong or goes wrong: the result says so. */
export function drill(source: string, options: DrillOptions = {}): DrillResult {
  const notes: string[] = [];
  const printed: string[] = [];
  let run: Run | null = null;
  try {
    const script = parse(source);
    run = new Run(script, options, notes, printed);
    run.all();
    return { status: 'passed', line: 0, message: '', notes, printed };
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    const status = error instanceof Unsupported ? 'unsupported' : 'failed';
    const message = status === 'unsupported' ? `not supported: ${error.message}` : error.message;
    return { status, line: error.line, message, notes, printed };
  } finally {
    run?.close();
  }
}

/** How long after its time a packet is waited for, to say when it came. */
const GRACE_US = 10_000_000;
/** How long `*` waits. */
const PATIENCE_US = 1_200_000_000;

/** A call that has not returned. */
interface Pending {
  readonly call: CallSpec;
  readonly line: number;
  readonly again: Try;
  /** When it is to return. */
  readonly until: number;
  outcome: Outcome | null;
  returnedAt: number;
}

class Run {
  readonly #script: Script;
  readonly #settings: Settings;
  readonly #options: DrillOptions;
  readonly #machine: Machine;
  readonly #wire: Wire;
  readonly #calls: Calls;
  readonly #notes: string[];
  readonly #printed: string[];
  readonly #names: Names = new Map(Object.entries(STATES));
  #pending: Pending | null = null;
  /** Time of the event before. */
  #base = 0;

  constructor(script: Script, options: DrillOptions, notes: string[], printed: string[]) {
    this.#script = script;
    this.#options = options;
    this.#notes = notes;
    this.#printed = printed;
    const settings = settingsFor(script, options.sysctls);
    this.#settings = settings;
    notes.push(...settings.notes);
    this.#machine = this.#makeMachine(settings, options.seed ?? 1);
    const machine = this.#machine;
    this.#wire = new Wire(machine, settings, options.remoteIsn ?? 0);
    const defaults = { ...settings, local: machine.local };
    this.#calls = new Calls(machine.stack, defaults, () => machine.now);
    machine.onTurn = () => this.#tryPending();
    machine.wakeAt = () => this.#calls.deadline;
  }

  #makeMachine(settings: Settings, seed: number): Machine {
    try {
      return new Machine({ ...settings, seed });
    } catch (error) {
      throw new ScriptError(1, error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.#machine.close();
  }

  all(): void {
    for (const event of this.#script.events) this.#step(event);
    if (this.#pending !== null) this.#awaitReturn(this.#pending);
    if (this.#options.strict !== true) return;
    const last = this.#script.events.at(-1)!;
    const [extra] = this.#machine.sent;
    if (extra === undefined) return;
    const packet = this.#describe(extra, { ...NO_PACKET, flags: extra.flags });
    const text = `${seconds(extra.at)}  ${packetText(packet, NO_PACKET)}`;
    throw new ScriptError(last.line, `a packet that the script does not mention\n  ${text}`);
  }

  #step(event: ScriptEvent): void {
    const { action, line } = event;
    const [from, to] = this.#times(event);
    if (action.kind === 'out') {
      this.#base = this.#expect(action.packet, line, from, to);
      return;
    }
    if (event.when.base !== 'any') this.#advance(from, line);
    this.#base = event.when.base === 'any' ? this.#machine.now : from;
    if (action.kind === 'in') this.#send(action.packet, line);
    else if (action.kind === 'call') this.#call(action.call, event);
    else if (action.kind === 'command') this.#command(action.text);
    else this.#code(action.text, line);
  }

  #send(packet: PacketSpec, line: number): void {
    try {
      this.#wire.send(packet);
    } catch (error) {
      throw new ScriptError(line, error instanceof Error ? error.message : String(error));
    }
  }

  /** The earliest and the latest moment of an event, tolerance not counted. */
  #times({ when }: ScriptEvent): [number, number] {
    if (when.base === 'any') return [0, Number.POSITIVE_INFINITY];
    const start = when.base === 'relative' ? this.#base : 0;
    return [start + when.from, start + when.to];
  }

  #advance(us: number, line: number): void {
    const late = this.#machine.now - us;
    if (late > this.#settings.tolerance) {
      throw new ScriptError(
        line,
        `is due at ${seconds(us)}, and it is ${seconds(this.#machine.now)} already`,
      );
    }
    this.#machine.advance(us);
    this.#checkReturn();
  }

  // ---- packets out ----

  /** Waits for the stack's next packet, compares it, and returns when it was sent. */
  #expect(expected: PacketSpec, line: number, from: number, to: number): number {
    const machine = this.#machine;
    const { tolerance } = this.#settings;
    const last = to === Number.POSITIVE_INFINITY ? machine.now + PATIENCE_US : to + GRACE_US;
    machine.advance(last, () => machine.sent.length > 0);
    const live = this.#take(expected);
    const when = timeText(from, to);
    if (live === null) {
      const text = `${when}  ${packetText(expected)}`;
      throw new ScriptError(line, `expected a packet, and none was sent\n  expected:  ${text}`);
    }
    const actual = this.#describe(live, expected);
    const { fields, text } = compare(expected, actual, [when, seconds(live.at)]);
    const both = text.replace(/^/gm, '  ');
    if (fields.length > 0) {
      throw new ScriptError(
        line,
        `the packet that was sent differs in ${fields.join(', ')}\n${both}`,
      );
    }
    const early = from - tolerance - live.at;
    const late = live.at - to - tolerance;
    if (early > 0 || late > 0) {
      const by = early > 0 ? from - live.at : live.at - to;
      const side = early > 0 ? 'early' : 'late';
      throw new ScriptError(line, `the packet was sent ${seconds(by)} s too ${side}\n${both}`);
    }
    this.#checkPayload(live, line);
    this.#checkReturn();
    return live.at;
  }

  /** The next packet; several that follow one another when the script writes them as one. */
  #take(expected: PacketSpec): LivePacket | null {
    const { sent } = this.#machine;
    let live = sent.shift() ?? null;
    if (live === null || expected.kind !== 'tcp' || live.kind !== 'tcp') return live;
    while (live.payload.length > 0 && live.payload.length < expected.length) {
      const next: LivePacket | undefined = sent[0];
      if (next === undefined || !follows(live, next)) break;
      sent.shift();
      live = joined(live, next, expected.flags & PSH);
    }
    return live;
  }

  #describe(live: LivePacket, like: PacketSpec): PacketSpec {
    if (live.kind !== 'tcp' || like.kind !== 'tcp') return this.#wire.describe(live, like);
    const flow = this.#wire.flowOut(live, like);
    if ((live.flags & like.flags & SYN) !== 0) flow.sync(live, like.seq);
    const wanted = like.options?.find(({ name }) => name === 'TS')?.numbers[0];
    const value = live.options.find(({ name }) => name === 'TS')?.numbers[0];
    if (wanted === undefined || value === undefined) return flow.inScript(live);
    const tick = this.#settings.timestampTick;
    const expectedTick = flow.scriptTimestamp(value);
    const off = Math.abs((wanted - expectedTick) | 0) * tick;
    const close = Number.isNaN(expectedTick) || tick === 0 || off <= this.#settings.tolerance;
    if (close) flow.noteTimestamp(wanted, value);
    const actual = flow.inScript(live);
    return close ? withTimestamp(actual, wanted) : actual;
  }

  /** Each byte that the stack sends must be the one that the script wrote there. */
  #checkPayload(live: LivePacket, line: number): void {
    if (live.kind === 'icmp') return;
    let first = 0;
    if (live.kind === 'tcp') {
      const flow = this.#wire.flowOut(live, NO_PACKET);
      const seq = (live.seq - flow.localOffset - flow.localIsn) | 0;
      first = seq - 1 + (live.flags & SYN ? 1 : 0);
    }
    const at = live.payload.findIndex((byte, i) => byte !== patternByte(first + i));
    if (at >= 0) throw new ScriptError(line, `byte ${at} of the payload is not what was written`);
  }

  // ---- calls ----

  #call(call: CallSpec, event: ScriptEvent): void {
    if (this.#pending !== null) this.#awaitReturn(this.#pending);
    const { line, when } = event;
    const again = this.#calls.start(call, line);
    const start = when.base === 'relative' ? this.#base - when.from : 0;
    const until = when.until < 0 ? this.#base : start + when.until;
    const pending = { call, line, again, until, outcome: null, returnedAt: 0 };
    this.#pending = pending;
    this.#tryPending();
    if (pending.outcome === null && when.until < 0) {
      throw new ScriptError(line, `${call.name}() blocks; write when it returns: 0.1...0.2`);
    }
    this.#machine.settle();
    this.#checkReturn();
  }

  #tryPending(): boolean {
    const pending = this.#pending;
    if (pending === null || pending.outcome !== null) return false;
    pending.outcome = pending.again();
    pending.returnedAt = this.#machine.now;
    return pending.outcome !== null;
  }

  /** Looks at a call that has returned, and complains of one that should have. */
  #checkReturn(): void {
    const pending = this.#pending;
    if (pending === null) return;
    const { call, line, until, outcome, returnedAt } = pending;
    const { tolerance } = this.#settings;
    if (outcome === null) {
      if (this.#machine.now <= until + tolerance) return;
      throw new ScriptError(line, `${call.name}() has not returned at ${seconds(until)}`);
    }
    this.#pending = null;
    const wrong = differenceOf(call, outcome);
    if (wrong !== '') throw new ScriptError(line, `${call.name}()${wrong}`);
    if (Math.abs(returnedAt - until) > tolerance) {
      const times = `at ${seconds(returnedAt)}, not at ${seconds(until)}`;
      throw new ScriptError(line, `${call.name}() returned ${times}`);
    }
  }

  #awaitReturn(pending: Pending): void {
    const last = pending.until + this.#settings.tolerance + 1;
    this.#machine.advance(last, () => pending.outcome !== null);
    this.#checkReturn();
  }

  // ---- the rest ----

  #command(text: string): void {
    const { tcp, notes } = translate([text]);
    Object.assign(this.#machine.stack.tcp.options, tcp);
    this.#notes.push(...notes);
  }

  #code(text: string, line: number): void {
    for (const [name, value] of Object.entries(this.#information())) this.#names.set(name, value);
    try {
      this.#printed.push(...execute(text, this.#names));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const what = error instanceof AssertionFailed ? 'does not hold: ' : '';
      throw new ScriptError(line, `${what}${error.message}`);
    }
  }

  /** tcpi_* of the current connection: as its descriptor tells, or without one as the stack knows. */
  #information(): Record<string, number> {
    const flow = this.#wire.current;
    const over = { tcpi_state: STATES['TCP_CLOSE']! };
    if (flow === null) return over;
    for (const file of this.#calls.files.values()) {
      const socket = file instanceof StreamFile ? file.socket : null;
      if (socket?.localPort !== flow.localPort || socket.remotePort !== flow.remotePort) continue;
      const info = socket.info();
      if (info !== null) return linuxInfo(info);
    }
    const c = this.#wire.connectionOf(flow);
    return c === undefined ? over : linuxInfo(infoOf(this.#machine.stack.tcp, c, 0, 0));
  }
}
