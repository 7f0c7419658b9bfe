/**
 * Where running processes have their control sockets: a folder that only its user may open.
 *
 * A socket is called after its process, so that what a killed one left behind is recognised.
 * @module
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PRIVATE = 0o700;
const ACCESS_BITS = 0o777;

/**
 * The user's folder, made if it is not there: $XDG_RUNTIME_DIR/dpdk-net, /run/user/UID/dpdk-net,
 * or dpdk-net-UID among the temporary files. Throws an Error when another owns or may enter it.
 */
export function controlFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const uid = process.getuid?.() ?? 0;
  const own = [environment['XDG_RUNTIME_DIR'], `/run/user/${uid}`].find(
    // Under sudo the variable still names the folder of somebody else.
    (folder) => folder !== undefined && folder !== '' && isPrivate(folder, uid),
  );
  const folder = own === undefined ? join(tmpdir(), `dpdk-net-${uid}`) : join(own, 'dpdk-net');
  mkdirSync(folder, { recursive: true, mode: PRIVATE });
  if (isPrivate(folder, uid)) return folder;
  throw new Error(
    `${folder} does not belong to this user alone; remove it, or set XDG_RUNTIME_DIR to a folder that does`,
  );
}

/** A folder, no symbolic link, ours, and closed to all others. */
function isPrivate(folder: string, uid: number): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === uid && (stat.mode & ACCESS_BITS) === PRIVATE;
}

/** The socket of a process. */
export function socketOf(folder: string, pid: number): string {
  return join(folder, `${pid}.sock`);
}

/** The processes with a socket, lowest number first. Those of the dead are removed. */
export function processesIn(folder: string): number[] {
  const living: number[] = [];
  for (const name of readdirSync(folder)) {
    const pid = Number(name.match(/^(\d+)\.sock$/)?.[1] ?? 0);
    if (pid === 0) continue;
    if (isAlive(pid)) living.push(pid);
    else rmSync(join(folder, name), { force: true });
  }
  return living.sort((a, b) => a - b);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
