/**
 * The host's side of a TAP device: DPDK's net_tap makes an interface that the kernel sees; this
 * gives it addresses, and recognises one that an earlier run left behind. Linux, through `ip`.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { Prefix } from '../base/address.ts';
import * as Mac from '../wire/mac.ts';

/** Bit 12 of the capabilities in /proc/self/status. */
const CAP_NET_ADMIN = 1n << 12n;

/** Why this machine can not have a TAP device, with the remedy; null when it can. */
export function whyNoTap(): string | null {
  if (process.platform !== 'linux') return `TAP devices need Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a TAP device needs root: run it with sudo';
  if (!isNetAdmin()) {
    return 'root may not make a TAP device here: start the container with --cap-add NET_ADMIN';
  }
  if (!existsSync('/dev/net/tun')) {
    return 'there is no /dev/net/tun: load it with `modprobe tun`, or start the container with --device /dev/net/tun';
  }
  return null;
}

/** Whether this process has CAP_NET_ADMIN, which in a container root has not. */
function isNetAdmin(): boolean {
  const effective = readFileSync('/proc/self/status', 'utf8').match(
    /^CapEff:\s*([0-9a-f]+)$/m,
  )?.[1];
  return effective === undefined || (BigInt(`0x${effective}`) & CAP_NET_ADMIN) !== 0n;
}

/** The kernel's name of a net_tap device: 'net_tap0,iface=dtap0' -> 'dtap0'; null for others. */
export function tapInterface(vdev: string): string | null {
  const number = vdev.match(/^net_tap(\d*)(?:,|$)/)?.[1];
  if (number === undefined) return null;
  return vdev.match(/,iface=([^,]+)/)?.[1] ?? `dtap${number === '' ? 0 : number}`;
}

/**
 * Makes way for a TAP device called `name`: an interface that no process holds any more is
 * deleted. Returns true when there was one. Throws when the name belongs to something alive.
 */
export function removeStaleInterface(name: string): boolean {
  const { status, stdout } = ip(['-d', '-j', 'link', 'show', 'dev', name]);
  if (status !== 0) return false;
  const kind = (JSON.parse(stdout) as { linkinfo?: { info_kind?: string } }[])[0]?.linkinfo
    ?.info_kind;
  if (kind !== 'tun') {
    throw new Error(
      `there is an interface ${name} already, which is no TAP device; choose another name (iface=...)`,
    );
  }
  const holder = holderOf(name);
  if (holder !== null) {
    throw new Error(
      `the interface ${name} is in use by process ${holder}; end that first, or choose another name (iface=...)`,
    );
  }
  mustIp(['link', 'delete', 'dev', name]);
  return true;
}

/**
 * Gives the kernel's end addresses and switches it on. Returns what could not be had, a sentence
 * each: a host without IPv6 does without its IPv6 addresses.
 *
 * net_tap gives both ends the same MAC address, with which their IPv6 link-local addresses would
 * collide; so the kernel's end gets another one, made from `mac`, the device's.
 */
export function configureHostSide(
  name: string,
  addresses: readonly Prefix[],
  mac: Uint8Array,
): string[] {
  const bytes = Uint8Array.from(mac);
  bytes[5] = bytes[5]! ^ 1;
  const hostMac = Mac.text(bytes);
  mustIp(['link', 'set', 'dev', name, 'address', hostMac]);
  mustIp(['link', 'set', 'dev', name, 'up']);
  const notices: string[] = [];
  if (addresses.some(({ address }) => address.version === 6)) enableV6(name);
  for (const prefix of addresses) {
    const args = ['address', 'replace', String(prefix), 'dev', name];
    if (prefix.address.version === 4) {
      mustIp(args);
      continue;
    }
    // Nobody else is on this wire: no duplicate address detection, which takes a second.
    const { status, stderr } = ip([...args, 'nodad']);
    if (status !== 0) notices.push(`the host does without ${prefix}: ${stderr.trim()}`);
  }
  return notices;
}

/** Containers often have IPv6 switched off for new interfaces. */
function enableV6(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '0');
  } catch {
    // No IPv6 in this kernel, or we may not: adding the address will tell.
  }
}

/** 'PID (command)' of the process in this network namespace that has the TAP device open. */
function holderOf(name: string): string | null {
  const here = readlinkSync('/proc/self/ns/net');
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/net`) === here && hasOpen(pid, name)) {
        return `${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`;
      }
    } catch {
      // The process ended meanwhile, or is none of ours.
    }
  }
  return null;
}

function hasOpen(pid: string, name: string): boolean {
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    if (!isTun(pid, fd)) continue;
    const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    if (info.split('\n').some((line) => line === `iff:\t${name}`)) return true;
  }
  return false;
}

function isTun(pid: string, fd: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('/net/tun');
  } catch {
    return false; // Closed meanwhile.
  }
}

function ip(args: string[]): { status: number | null; stdout: string; stderr: string } {
  const result = spawnSync('ip', args, { encoding: 'utf8' });
  if (result.error !== undefined) {
    throw new Error(
      `the program 'ip' does not run (${result.error.message}); install it: apt-get install iproute2`,
    );
  }
  return result;
}

function mustIp(args: string[]): void {
  const { status, stderr } = ip(args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
}
