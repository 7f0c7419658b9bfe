/**
 * The groups one socket is in, and whom it hears in each (RFC 3376 2, RFC 3678): errors and limits as
 * Linux has them.
 * @module
 */
import type { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { EXCLUDE, INCLUDE, SourceFilter } from '../net/groups/filter.ts';
import type { Member } from '../net/groups/groups.ts';
import type { Net } from '../net/net.ts';
import type { Nic } from '../net/nic.ts';
import type { Packet } from '../net/packet.ts';

/** Most groups, and most sources of one, that a socket may have. */
const GROUPS_MAX = 1024;
const SOURCES_MAX = 64;

export class SocketGroups {
  readonly #net: Net;
  #members: Member[] = [];

  constructor(net: Net) {
    this.#net = net;
  }

  /**
   * Receives what is sent to the group, whoever sends it, on `nic` or (null) wherever it comes in.
   * Throws StackError EINVAL (no group), EADDRINUSE (in it already), ENOBUFS.
   */
  join(group: Address, nic: Nic | null = null): void {
    assertGroup(group);
    if (this.#find(group, nic) !== null) throw new StackError('EADDRINUSE', `in ${group} already`);
    this.#add(group, nic, SourceFilter.ALL);
  }

  /** Out of the group; a null `nic` takes whichever it was joined on. Throws EADDRNOTAVAIL. */
  leave(group: Address, nic: Nic | null = null): void {
    const member = this.#members.find(
      (each) => each.group.equals(group) && (nic === null || each.nic === nic),
    );
    if (member === undefined) throw notIn(group);
    this.#remove(member);
  }

  /** Receives what `source` sends to the group. Throws EINVAL, EADDRNOTAVAIL (hears it), ENOBUFS. */
  joinSource(group: Address, source: Address, nic: Nic | null = null): void {
    assertGroup(group);
    assertSource(group, source);
    const member = this.#find(group, nic);
    if (member === null) this.#add(group, nic, new SourceFilter(INCLUDE, [source]));
    else this.#list(member, INCLUDE, source);
  }

  /** Throws StackError EINVAL when it is not in the group, EADDRNOTAVAIL when it did not hear it. */
  leaveSource(group: Address, source: Address, nic: Nic | null = null): void {
    this.#unlist(this.#find(group, nic), group, INCLUDE, source);
  }

  /** Of a group that was joined for all sources: this one is not heard any more. */
  block(group: Address, source: Address, nic: Nic | null = null): void {
    const member = this.#find(group, nic);
    if (member === null) throw new StackError('EINVAL', `not in ${group}`);
    assertSource(group, source);
    this.#list(member, EXCLUDE, source);
  }

  /** Undoes block(). */
  unblock(group: Address, source: Address, nic: Nic | null = null): void {
    this.#unlist(this.#find(group, nic), group, EXCLUDE, source);
  }

  /** Is the packet, which went to a group, for this socket? */
  hears(packet: Packet): boolean {
    const { dst0, dst1, dst2, dst3, src0, src1, src2, src3 } = packet;
    for (const { group, nic, filter } of this.#members) {
      if (group.w3 !== dst3 || group.w2 !== dst2 || group.w1 !== dst1 || group.w0 !== dst0)
        continue;
      if (nic !== null && nic.index !== packet.nic) continue;
      if (filter.hearsWords(src0, src1, src2, src3)) return true;
    }
    return false;
  }

  /** Out of all. */
  clear(): void {
    for (const member of this.#members) this.#net.groups.leave(member);
    this.#members = [];
  }

  #find(group: Address, nic: Nic | null): Member | null {
    return this.#members.find((each) => each.nic === nic && each.group.equals(group)) ?? null;
  }

  #add(group: Address, nic: Nic | null, filter: SourceFilter): void {
    if (this.#members.length === GROUPS_MAX) throw new StackError('ENOBUFS', 'too many groups');
    this.#members.push(this.#net.groups.join(group, nic, filter));
  }

  #remove(member: Member): void {
    this.#members = this.#members.filter((each) => each !== member);
    this.#net.groups.leave(member);
  }

  /** An empty list may change what it is a list of, as on Linux. */
  #list(member: Member, mode: number, source: Address): void {
    const { filter } = member;
    if (filter.mode !== mode && filter.sources.length > 0) {
      throw new StackError('EINVAL', `${member.group} was joined the other way`);
    }
    const list = filter.mode === mode ? filter : new SourceFilter(mode, []);
    if (list.lists(source)) throw new StackError('EADDRNOTAVAIL', `${source} is listed already`);
    if (list.sources.length === SOURCES_MAX) throw new StackError('ENOBUFS', 'too many sources');
    this.#net.groups.change(member, list.with(source));
  }

  #unlist(member: Member | null, group: Address, mode: number, source: Address): void {
    if (member === null) throw new StackError('EINVAL', `not in ${group}`);
    const { filter } = member;
    if (filter.mode !== mode) throw new StackError('EINVAL', `${group} was joined the other way`);
    if (!filter.lists(source)) throw new StackError('EADDRNOTAVAIL', `${source} is not listed`);
    const left = filter.without(source);
    if (left.isNone) this.#remove(member);
    else this.#net.groups.change(member, left);
  }
}

function assertGroup(group: Address): void {
  if (!group.isMulticast) throw new StackError('EINVAL', `${group} is not a group`);
}

function assertSource(group: Address, source: Address): void {
  if (source.isMulticast || source.version !== group.version) {
    throw new StackError('EINVAL', `${source} can not send to ${group}`);
  }
}

function notIn(group: Address): StackError {
  return new StackError('EADDRNOTAVAIL', `not in ${group}`);
}
