/**
 * The priority of everything that is measured, ours and the kernel's alike: two polling processes
 * that wait for each other suffer more than any from a third that wants their core.
 *
 * Where Linux groups processes by session (sched_autogroup), niceness counts only inside the group;
 * the group, which is the session the bench was started in, has a niceness of its own.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';

const GROUP = '/proc/self/autogroup';

/**
 * Sets our niceness, and so that of all children, until we end. Returns what it is now: without
 * root it can not be raised, and stays.
 */
export function raisePriority(nice) {
  try {
    os.setPriority(nice);
    setGroup(nice);
  } catch {
    // Not root: the results say under which priority they were made.
  }
  return os.getPriority();
}

function setGroup(nice) {
  const before = groupNice();
  if (before === null) return;
  writeFileSync(GROUP, `${nice}`);
  process.once('exit', () => writeFileSync(GROUP, `${before}`));
}

/** The group's niceness; null where there are no such groups. */
function groupNice() {
  try {
    const found = readFileSync(GROUP, 'utf8').match(/nice (-?\d+)/);
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}
