/**
 * The files of the dashboard, as the admin server gives them out. They hold nothing of the process:
 * the page asks for that, with the token where there is one.
 * @module
 */
import { readFileSync } from 'node:fs';

interface Page {
  readonly type: string;
  readonly body: Buffer;
}

/** From here and from a chunk of lib/ alike. */
const COMPILED = new URL('../../dist/dashboard/', import.meta.url);
const WRITTEN = new URL('../../src/dashboard/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline, and nobody's frame. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

const known = new Map<string, Page | null>();

/** The file of a path such as '/' or '/main.js'; null when there is none. */
export function pageOf(path: string): Page | null {
  const name = path === '/' ? 'index.html' : path.slice(1);
  if (!/^[a-z][a-z-]*\.(html|css|js|svg)$/.test(name)) return null;
  let page = known.get(name);
  if (page === undefined) {
    page = read(name);
    known.set(name, page);
  }
  return page;
}

function read(name: string): Page | null {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  try {
    const body = readFileSync(new URL(name, ending === 'js' ? COMPILED : WRITTEN));
    return { type: TYPES[ending]!, body };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
