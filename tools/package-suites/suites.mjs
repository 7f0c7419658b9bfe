/**
 * Whose tests there are, where they come from, and how one file of them is run. npm packages mostly
 * come without their tests; Debian's source packages have some.
 * @module
 */

/** A test file under mocha, which then speaks TAP. */
const mocha = (...flags) => {
  const fixed = ['node_modules/mocha/bin/_mocha', '--reporter', 'tap', ...flags];
  return (file) => [...fixed, file];
};

/**
 * `needs`: what its tests load, in the versions that its package.json names. `folders`: where its
 * tests are, and `matches`: what their files are called. `args`: what Node is started with.
 */
export const SUITES = [
  {
    name: 'express',
    source: { debian: 'node-express' },
    needs: [
      'after',
      'connect-redis',
      'cookie-parser',
      'cookie-session',
      'ejs',
      'express-session',
      'hbs',
      'marked',
      'method-override',
      'mocha',
      'morgan',
      'multiparty',
      'pbkdf2-password',
      'supertest',
      'vhost',
    ],
    folders: ['test', 'test/acceptance'],
    matches: /\.js$/,
    args: mocha('--require', 'test/support/env', '--check-leaks'),
  },
  {
    name: 'ws',
    source: { debian: 'node-ws' },
    needs: ['mocha'],
    folders: ['test'],
    matches: /\.test\.js$/,
    args: mocha('--throw-deprecation'),
  },
  {
    name: 'fastify',
    source: { npm: 'fastify@5' },
    needs: [
      'ajv',
      'ajv-errors',
      'ajv-formats',
      'ajv-i18n',
      'ajv-merge-patch',
      'fast-json-body',
      'fastify-plugin',
      'fluent-json-schema',
      'h2url',
      'http-errors',
      'joi',
      'JSONStream',
      'node-forge',
      'proxyquire',
      'split2',
      'typebox',
      'undici',
      'vary',
      'yup',
    ],
    folders: [
      'test',
      'test/diagnostics-channel',
      'test/esm',
      'test/http-methods',
      'test/http2',
      'test/https',
      'test/internals',
      'test/logger',
    ],
    matches: /\.test\.m?js$/,
    args: (file) => ['--test-reporter', 'tap', file],
  },
  {
    // The last whose package has its tests.
    name: 'undici',
    source: { npm: 'undici@3.3.6' },
    needs: ['@sinonjs/fake-timers', 'abort-controller', 'https-pem', 'proxyquire', 'tap'],
    folders: ['test'],
    matches: /\.js$/,
    args: (file) => [file],
  },
];
