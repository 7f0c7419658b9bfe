/**
 * Which of Node's tests can not say anything about sockets with an IP address of their own.
 *
 * Each rule is a sentence and a pattern over the test's own text; they are decided before anything
 * runs, and what they take away is listed in the page. No test is named here.
 * @module
 */

export const RULES = [
  {
    reason: 'shares sockets among processes (cluster)',
    applies: (source) => /require\(['"](node:)?cluster['"]\)/.test(source),
  },
  {
    // A program that it starts is not given `--import`, and has a network of its own if it is.
    reason: 'has its peer, or itself, in another process',
    applies: (source) =>
      /require\(['"](node:)?child_process['"]\)/.test(source) &&
      /\.listen\(|connect\(|process\.argv|execPath/.test(source),
  },
  {
    reason: "looks into the kernel's handles (internal bindings)",
    applies: (source) =>
      /internalBinding\(['"](tcp|udp)_wrap['"]\)|_createSocketHandle|--test-udp-no-try-send/.test(
        source,
      ),
  },
];

/** The first reason why `test` does not apply, '' when it does. */
export function hopeless({ source }) {
  return RULES.find(({ applies }) => applies(source))?.reason ?? '';
}
