/**
 * Runs test files that speak TAP and compares what they said in two runs.
 * @module
 */
import { plainEnvironment, runToEnd } from '../house/run-to-end.mjs';

/** `ok 1 name`, `not ok 2 - name # time=3ms`: mocha's and tap's and Node's, nested ones as well. */
const LINE = /^\s*(not ok|ok) \d+ (?:- )?(.*?)(?:\s+#\s+[a-zA-Z]+\b.*| \{)?$/gm;

/** Gives each job job[where] = { results: Map of name to 'ok' or 'not ok', output }. */
export async function runFiles(jobs, { node, workers, seconds, flags }, where) {
  const left = [...jobs];
  const work = async () => {
    for (let job = left.shift(); job; job = left.shift()) {
      const once = () =>
        runToEnd(node, [...flags, ...job.args], {
          cwd: job.folder,
          env: plainEnvironment({ NODE_ENV: 'test' }),
          seconds,
        });
      let end = await once();
      // Some of them race with timers of their own: whatever fails has a second chance.
      if (end.status !== 0) end = await once();
      job[where] = { results: resultsOf(job.file, end), output: end.output };
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** The end of the file itself counts as one more. */
function resultsOf(file, { status, isLate, output }) {
  const results = new Map();
  for (const [, verdict, name] of output.matchAll(LINE)) {
    let key = `${file} > ${name}`;
    for (let again = 2; results.has(key); again++) key = `${file} > ${name} (${again})`;
    results.set(key, verdict);
  }
  results.set(file, isLate ? 'timed out' : status === 0 ? 'ok' : 'not ok');
  return results;
}

/** 'passed / failed', of all tests in the files of `jobs`. */
export function total(jobs, where) {
  const all = jobs.flatMap((job) => [...job[where].results.values()]);
  const passed = all.filter((verdict) => verdict === 'ok').length;
  return `${passed} / ${all.length - passed}`;
}

/** [{ name, kernel, stack }] of what did not end alike. */
export function differences(jobs) {
  return jobs.flatMap(({ kernel, stack }) => {
    const names = new Set([...kernel.results.keys(), ...stack.results.keys()]);
    return [...names]
      .map((name) => ({
        name,
        kernel: kernel.results.get(name) ?? 'missing',
        stack: stack.results.get(name) ?? 'missing',
      }))
      .filter((each) => each.kernel !== each.stack);
  });
}
