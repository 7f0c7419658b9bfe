/**
 * Writes docs/configuration.md from the schema (src/config/). Build first; a test compares.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { renderReference } from '../dist/config/reference.js';
import { at } from './house/root.mjs';

writeFileSync(at('docs/configuration.md'), renderReference());
