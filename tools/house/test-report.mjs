/**
 * A reporter for Node's test runner: one line of JSON for each test that begins or ends, as
 * test-file.mjs reads them. It is loaded into the process of the test file.
 * @module
 */
import { inspect } from 'node:util';

export default async function* report(source) {
  /** The names of the tests around the one that is reported, by nesting. */
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:dequeue') {
      path[data.nesting] = data.name;
      yield line({ begins: nameOf(path, data) });
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    path[data.nesting] = data.name;
    if (data.details?.type === 'suite') continue;
    const name = nameOf(path, data);
    if (data.skip !== undefined || data.todo !== undefined) {
      yield line({ name, error: 'a test must not be skipped' });
    } else if (type === 'test:pass') yield line({ name });
    else yield line({ name, error: storyOf(data.details?.error) });
  }
}

const line = (event) => `${JSON.stringify(event)}\n`;

function nameOf(path, { nesting }) {
  return path.slice(0, nesting + 1).join(' > ');
}

/** The runner wraps what a test throws; its message alone counts when there is nothing inside. */
function storyOf(error) {
  return inspect(error?.cause ?? error, { depth: 4 });
}
