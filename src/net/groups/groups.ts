/**
 * The groups that sockets (and Neighbor Discovery) are in: accepted when they come in, and told to the
 * routers of each link.
 * @module
 */
import { Address } from '../../base/address.ts';
import type { AddressTable } from '../address-table.ts';
import { GROUP } from '../address-table.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import { merge, SourceFilter } from './filter.ts';
import { IgmpProtocol } from './igmp.ts';
import { MldProtocol } from './mld.ts';
import { Reporter } from './reporter.ts';

/** Every host is in these. */
const ALL_HOSTS_V4 = Address.v4(224, 0, 0, 1);
const ALL_HOSTS_V6 = Address.parse('ff02::1');
const LINK_SCOPE = 0xff020000 | 0;
const SOLICITED_NODE = 0xff000000 | 0;

/** One who is in a group; made by Groups.join(). */
export class Member {
  readonly group: Address;
  /** Null: on every interface. */
  readonly nic: Nic | null;
  /** Whom it hears; Groups.change() changes it. */
  filter: SourceFilter;

  constructor(group: Address, nic: Nic | null, filter: SourceFilter) {
    this.group = group;
    this.nic = nic;
    this.filter = filter;
  }
}

export class Groups {
  readonly igmp: IgmpProtocol;
  readonly mld: MldProtocol;
  readonly #core: Core;
  readonly #addresses: AddressTable;
  readonly #nics: readonly Nic[];
  readonly #members = new Map<string, Member[]>();
  readonly #reporters = new Map<Nic, { readonly v4: Reporter; readonly v6: Reporter }>();

  constructor(core: Core, addresses: AddressTable, nics: readonly Nic[]) {
    this.#core = core;
    this.#addresses = addresses;
    this.#nics = nics;
    const reporterOf = (nic: Nic, version: number): Reporter | null => {
      const pair = this.#reporters.get(nic);
      return pair === undefined ? null : version === 4 ? pair.v4 : pair.v6;
    };
    this.igmp = new IgmpProtocol(core, nics, (nic) => reporterOf(nic, 4));
    this.mld = new MldProtocol(core, nics, (nic) => reporterOf(nic, 6));
    this.join(ALL_HOSTS_V4, null);
    this.join(ALL_HOSTS_V6, null);
  }

  /** A new interface: it hears the groups that are heard everywhere. */
  attach(nic: Nic): void {
    if (nic.loopback === 1) return;
    const { igmp, mld } = this;
    const reporters = {
      v4: new Reporter(this.#core, nic, igmp),
      v6: new Reporter(this.#core, nic, mld),
    };
    this.#reporters.set(nic, reporters);
    for (const [first] of this.#members.values()) this.#tell(first!.group, nic);
  }

  join(group: Address, nic: Nic | null, filter: SourceFilter = SourceFilter.ALL): Member {
    const member = new Member(group, nic, filter);
    const key = group.toString();
    const others = this.#members.get(key);
    if (others === undefined) this.#members.set(key, [member]);
    else others.push(member);
    this.#addresses.add(group.w0, group.w1, group.w2, group.w3, GROUP, 0);
    this.#changed(member);
    return member;
  }

  /**
   * The group that neighbors ask in for an address of ours (RFC 4291 2.7.1). Told when a router asks,
   * not at once: a host that nobody asks anything sends nothing but its announcements.
   */
  joinSolicitedNode(address: Address, nic: Nic): void {
    const group = new Address(LINK_SCOPE, 0, 1, SOLICITED_NODE | (address.w3 & 0xffffff));
    this.#addresses.add(group.w0, group.w1, group.w2, group.w3, GROUP, nic.index);
    this.#reporters.get(nic)?.v6.setSilently(group, SourceFilter.ALL);
  }

  /** True when somebody here is in the group. */
  has(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#addresses.kind(w0, w1, w2, w3) === GROUP;
  }

  /** The member hears others from now on. */
  change(member: Member, filter: SourceFilter): void {
    member.filter = filter;
    this.#changed(member);
  }

  leave(member: Member): void {
    const { group } = member;
    const key = group.toString();
    const left = (this.#members.get(key) ?? []).filter((other) => other !== member);
    if (left.length > 0) this.#members.set(key, left);
    else this.#members.delete(key);
    this.#addresses.remove(group.w0, group.w1, group.w2, group.w3);
    this.#changed(member);
  }

  tick(): void {
    for (const { v4, v6 } of this.#reporters.values()) {
      v4.tick();
      v6.tick();
    }
  }

  #changed({ group, nic }: Member): void {
    for (const each of nic === null ? this.#nics : [nic]) this.#tell(group, each);
  }

  #tell(group: Address, nic: Nic): void {
    const reporters = this.#reporters.get(nic);
    if (reporters === undefined || !isReported(group)) return;
    const members = this.#members.get(group.toString()) ?? [];
    const here = members.filter((member) => member.nic === null || member.nic === nic);
    const reporter = group.version === 4 ? reporters.v4 : reporters.v6;
    reporter.set(group, merge(here.map(({ filter }) => filter)));
  }
}

/** All hosts need not be told of, and groups of one host or one interface concern no router. */
function isReported(group: Address): boolean {
  if (group.version === 4) return !group.equals(ALL_HOSTS_V4);
  const scope = (group.w0 >>> 16) & 0xf;
  return scope >= 2 && !group.equals(ALL_HOSTS_V6);
}
