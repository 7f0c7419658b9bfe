/**
 * Why tests that apply do not pass, for the page: found by hand, it decides nothing.
 * @module
 */

const CAUSES = [];

/** The sentence for a test that failed; what it said itself when nobody has looked into it. */
export function causeOf({ name, stack }) {
  const cause = CAUSES.find(({ tests }) => tests.includes(name.replace(/^test-/, '')));
  if (cause !== undefined) return cause.why;
  return `not looked into: ${stack.outcome} \`${stack.words.replaceAll('|', '\\|')}\``;
}
