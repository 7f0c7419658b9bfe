/**
 * Writes docs/configuration.md and dpdk-net.schema.json from the schema (src/config/). Build
 * first; a test compares.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../dist/config/json-schema.js';
import { renderReference } from '../dist/config/reference.js';
import { at } from './house/root.mjs';

writeFileSync(at('docs/configuration.md'), renderReference());
writeFileSync(at('dpdk-net.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
