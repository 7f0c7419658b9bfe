/**
 * What a run says, as a page.
 * @module
 */

/** [{ group, passed, applies }] */
export function summarize(tests) {
  const groups = [...new Set(tests.map(({ group }) => group))];
  return groups.map((group) => {
    const of = tests.filter((test) => test.group === group);
    const applicable = of.filter(({ reason }) => reason === '');
    const passed = applicable.filter(({ stack }) => stack.outcome === 'passed').length;
    return { group, passed, applies: applicable.length, all: of.length };
  });
}
export function toPage() {
  return '';
}
