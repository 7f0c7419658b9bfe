/**
 * Prometheus's own judge on what /metrics says, and on the alert rules.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { metricsText } from '../dist/metrics/exposition.js';
import { familiesOf } from '../dist/metrics/families.js';
import { sampleReports } from '../dist/metrics/sample.js';
import { promtool } from '../tools/house/promtool.mjs';
import { at } from '../tools/house/root.mjs';

const RULES = at('deploy/prometheus-rules.yml');
const check = (args, input = '') => spawnSync(promtool(), args, { encoding: 'utf8', input });

test('promtool check metrics is content', async () => {
  const { status, stdout, stderr } = check(
    ['check', 'metrics'],
    await metricsText(sampleReports()),
  );
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});

test('promtool check metrics would not be content with a counter that is not called one', async () => {
  const text = '# HELP a A.\n# TYPE a counter\na 1\n';
  assert.notEqual(check(['check', 'metrics'], text).status, 0);
});

test('promtool check rules is content', () => {
  const { status, stdout, stderr } = check(['check', 'rules', RULES]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /SUCCESS: \d+ rules found/);
});

/** A histogram has three names. */
const names = new Set(
  familiesOf(sampleReports()).flatMap(({ name, kind }) =>
    kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  ),
);

for (const file of ['deploy/prometheus-rules.yml', 'deploy/grafana-dashboard.json']) {
  test(`${file} asks for nothing that is not measured`, () => {
    const asked = readFileSync(at(file), 'utf8').match(/\bdpdk_net_[a-z0-9_]+/g);
    assert.ok(asked.length > 8);
    assert.deepEqual(
      asked.filter((name) => !names.has(name)),
      [],
    );
  });
}

test('the rules fire when they should, and only then', () => {
  const { status, stdout, stderr } = check(['test', 'rules', at('test/prometheus-rules.yml')]);
  assert.equal(status, 0, `${stdout}${stderr}`);
});
