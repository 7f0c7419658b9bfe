/**
 * Tells the routers of one link which groups of one family are heard there: the host's part of IGMP
 * (RFC 3376) and MLD (RFC 3810), which differ in how they write it only.
 *
 * Where a router speaks an older version, that is spoken until it has been silent long enough.
 * @module
 */
import type { Address } from '../../base/address.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import { room } from '../transmit.ts';
import type { SourceFilter } from './filter.ts';
import { type GroupRecord, Membership } from './membership.ts';

/** How IGMP and MLD write what a Reporter has to say. Nothing is sent when the link has no room. */
export interface Speech {
  /** The version that knows of sources: IGMP 3, MLD 2. */
  readonly newest: number;
  /** Repeats of a change come after a random part of this: of the newest version, of older ones. */
  readonly changeMs: number;
  readonly oldChangeMs: number;
  report(nic: Nic, records: readonly GroupRecord[]): void;
  /** A report or (`isLeave`) a goodbye of an older version. */
  reportOld(nic: Nic, group: Address, version: number, isLeave: boolean): void;
}

/** What a router wants to know. */
export interface Query {
  readonly version: number;
  /** Null: all groups. */
  readonly group: Address | null;
  readonly sources: readonly Address[];
  /** The answer comes after a random part of this time. */
  readonly maxMs: number;
  /** 0: not said. */
  readonly robustness: number;
}

const ROBUSTNESS = 2;
/** Robustness times the query interval (125 s), and the response interval (10 s). */
const OLDER_ROUTER_MS = 260_000;
/** The link had no room. */
const RETRY_MS = 5;

export class Reporter {
  readonly #core: Core;
  readonly #nic: Nic;
  readonly #speech: Speech;
  readonly #memberships = new Map<string, Membership>();
  #robustness = ROBUSTNESS;
  #version: number;
  readonly #older = new Deadline();
  readonly #changes = new Deadline();
  readonly #general = new Deadline();

  constructor(core: Core, nic: Nic, speech: Speech) {
    this.#core = core;
    this.#nic = nic;
    this.#speech = speech;
    this.#version = speech.newest;
  }

  /** From now on `filter` is what is heard of the group. */
  set(group: Address, filter: SourceFilter): void {
    const key = group.toString();
    const membership = this.#memberships.get(key) ?? new Membership(group);
    membership.change(filter, this.#robustness);
    if (!membership.hasChanges) return;
    this.#memberships.set(key, membership);
    this.#changes.sooner(this.#core.clock.ms);
    this.#arm();
  }

  /** The group is heard, which routers are told when they ask. */
  setSilently(group: Address, filter: SourceFilter): void {
    const membership = new Membership(group);
    membership.filter = filter;
    this.#memberships.set(group.toString(), membership);
  }

  query(query: Query): void {
    if (query.version < this.#speech.newest) this.#olderRouter(query.version);
    if (query.robustness > 0) this.#robustness = query.robustness;
    const { group } = query;
    if (group === null && this.#version === this.#speech.newest) {
      this.#general.sooner(this.#later(query.maxMs));
    } else if (group === null) {
      // Each of its own, so that others can tell it first.
      for (const each of this.#memberships.values()) each.ask(this.#later(query.maxMs), []);
    } else {
      const at = this.#later(query.maxMs);
      const general = this.#general;
      if (general.isSet && ((general.at - at) | 0) <= 0) return;
      this.#memberships.get(group.toString())?.ask(at, query.sources);
    }
    this.#arm();
  }

  /** Another host told of the group: with the older versions one is enough. */
  heard(group: Address): void {
    if (this.#version < this.#speech.newest) this.#memberships.get(group.toString())?.forget();
  }

  /** Does what is due. */
  tick(): void {
    const now = this.#core.clock.ms;
    if (this.#older.take(now)) this.#speak(this.#speech.newest);
    if (this.#changes.isSet || this.#general.isSet || this.#memberships.size > 0) this.#tell(now);
    this.#arm();
  }

  #tell(now: number): void {
    const isDue = this.#changes.isDue(now) || this.#general.isDue(now) || this.#isAsked(now);
    if (!isDue) return;
    if (room(this.#nic.ring) === 0) {
      this.#core.tickBy(now + RETRY_MS);
      return;
    }
    if (this.#changes.take(now)) this.#tellChanges();
    const all = this.#general.take(now);
    const asked = [...this.#memberships.values()].filter(
      ({ isAsked, answerAt }) => all || (isAsked && ((answerAt - now) | 0) <= 0),
    );
    // A general query is about everything, whatever else was asked.
    if (all) for (const each of asked) each.forget();
    const answers = asked.map((each) => each.takeAnswer()).filter((answer) => answer !== null);
    this.#send(answers);
  }

  #tellChanges(): void {
    const { newest, changeMs, oldChangeMs } = this.#speech;
    const changed = [...this.#memberships.values()].filter(({ hasChanges }) => hasChanges);
    if (this.#version === newest) {
      this.#send(changed.flatMap((each) => each.takeChanges()));
    } else {
      for (const each of changed) this.#tellOldChange(each);
    }
    for (const [key, each] of this.#memberships) {
      if (each.filter.isNone && !each.hasChanges) this.#memberships.delete(key);
    }
    if (!changed.some(({ hasChanges }) => hasChanges)) return;
    const most = this.#version === newest ? changeMs : oldChangeMs;
    this.#changes.sooner(this.#later(most));
  }

  /** The older versions know only whether a group is heard; goodbye is said once. */
  #tellOldChange(membership: Membership): void {
    const { group, filter } = membership;
    membership.takeChanges();
    if (filter.isNone) membership.forgetChanges();
    this.#speech.reportOld(this.#nic, group, this.#version, filter.isNone);
  }

  #send(records: readonly GroupRecord[]): void {
    if (records.length === 0) return;
    if (this.#version === this.#speech.newest) {
      this.#speech.report(this.#nic, records);
      return;
    }
    for (const { group } of records) {
      this.#speech.reportOld(this.#nic, group, this.#version, false);
    }
  }

  #olderRouter(version: number): void {
    this.#older.at = (this.#core.clock.ms + OLDER_ROUTER_MS) | 0;
    this.#older.isSet = true;
    if (version < this.#version) this.#speak(version);
  }

  /** Another version: what was pending in the one before is forgotten (RFC 3376 7.2.1). */
  #speak(version: number): void {
    this.#version = version;
    this.#changes.isSet = false;
    this.#general.isSet = false;
    for (const [key, each] of this.#memberships) {
      each.forget();
      each.forgetChanges();
      if (each.filter.isNone) this.#memberships.delete(key);
    }
  }

  #isAsked(now: number): boolean {
    for (const { isAsked, answerAt } of this.#memberships.values()) {
      if (isAsked && ((answerAt - now) | 0) <= 0) return true;
    }
    return false;
  }

  /** A random moment within `ms` from now. */
  #later(ms: number): number {
    const { clock, random } = this.#core;
    return (clock.ms + 1 + ((random() >>> 0) % Math.max(1, ms))) | 0;
  }

  #arm(): void {
    const { tickBy } = this.#core;
    for (const deadline of [this.#older, this.#changes, this.#general]) {
      if (deadline.isSet) tickBy.call(this.#core, deadline.at);
    }
    for (const { isAsked, answerAt } of this.#memberships.values()) {
      if (isAsked) this.#core.tickBy(answerAt);
    }
  }
}

/** A moment (int32 ms) that something is due at. */
class Deadline {
  isSet = false;
  at = 0;

  sooner(at: number): void {
    if (this.isSet && ((this.at - at) | 0) <= 0) return;
    this.isSet = true;
    this.at = at;
  }

  isDue(now: number): boolean {
    return this.isSet && ((this.at - now) | 0) <= 0;
  }

  /** True once when it is due. */
  take(now: number): boolean {
    if (!this.isDue(now)) return false;
    this.isSet = false;
    return true;
  }
}
