/**
 * The project's folder.
 * @module
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** As a URL that ends with a slash. */
export const ROOT = new URL('../../', import.meta.url);

/** The path of a file of the project. */
export function at(path) {
  return fileURLToPath(new URL(path, ROOT));
}

/** True when the module with this `import.meta.url` is the program that was started. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}
