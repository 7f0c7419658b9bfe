/**
 * What a run says, as a page of docs/node-compat.
 * @module
 */
import { causeOf } from './causes.mjs';

/** [{ group, passed, applies, all }] */
export function summarize(tests) {
  const groups = [...new Set(tests.map(({ group }) => group))];
  return groups.map((group) => {
    const of = tests.filter((test) => test.group === group);
    const applicable = of.filter(({ reason }) => reason === '');
    const passed = applicable.filter(({ stack }) => stack.outcome === 'passed').length;
    return { group, passed, applies: applicable.length, all: of.length };
  });
}

/** The page of Node `version` with the tests of Node `suite`. */
export function toPage(version, suite, tests) {
  const failed = tests.filter(({ reason, stack }) => reason === '' && stack.outcome !== 'passed');
  const unsteady = tests.filter(({ stack }) => stack?.isSteady === false);
  return `${[
    `# Node ${version} with the tests of ${suite}`,
    'Made by `node tools/node-compat.mjs --write`; what the words mean is in [the page above](../node-compat.md).',
    table(
      ['group', 'tests', 'apply', 'pass on the stack', '%'],
      summarize(tests).map(({ group, all, applies, passed }) => [
        group,
        all,
        applies,
        passed,
        ((100 * passed) / applies).toFixed(1),
      ]),
    ),
    `## Apply and do not pass (${failed.length})`,
    failed.length === 0
      ? 'None.'
      : table(
          ['test', 'cause'],
          failed.map((test) => [`\`${test.name}\``, causeOf(test)]),
        ),
    ...(unsteady.length === 0
      ? []
      : [`## Passed with the second try only, alone (${unsteady.length})`, names(unsteady)]),
    '## Do not apply',
    ...byReason(tests.filter(({ reason }) => reason !== '')),
  ].join('\n\n')}\n`;
}

function byReason(tests) {
  const reasons = [...new Set(tests.map(({ reason }) => reason))].sort();
  return reasons.map((reason) => {
    const of = tests.filter((test) => test.reason === reason);
    return `**${reason}** (${of.length}): ${names(of)}`;
  });
}

function names(tests) {
  return tests.map(({ name }) => `\`${name.replace(/^test-/, '')}\``).join(', ');
}

function table(heads, rows) {
  const lines = [heads, heads.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
