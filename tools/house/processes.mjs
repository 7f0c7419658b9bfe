/**
 * The processes of this machine as /proc lists them; elsewhere there are none.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The process `pid` and all that it started, directly or not. */
export function familyOf(pid) {
  const parents = new Map(processes().map((other) => [other, parentOf(other)]));
  const family = [pid];
  // A Map keeps its order, and the loop sees what is added to the list.
  for (const member of family) {
    for (const [other, parent] of parents) if (parent === member) family.push(other);
  }
  return family;
}

/** 'pid state command', as far as it is still known. */
export function describe(pid) {
  const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim();
  return `  ${pid} ${stat(pid)[0] ?? 'gone'} ${command}`;
}

/** Ends those of `pids` that have not ended. */
export function kill(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

function processes() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

const parentOf = (pid) => Number(stat(pid)[1]);

/** The fields that follow the name, which may have spaces and parentheses: state, parent ... */
function stat(pid) {
  const text = read(pid, 'stat');
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
