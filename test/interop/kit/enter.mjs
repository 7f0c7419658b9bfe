/**
 * Imported first, this runs the importing test file again inside a new network namespace. What
 * follows the import runs only there.
 * @module
 */
import { enterNamespace } from '../../../dist/dpdk/test-namespace.js';

/** The namespace of this test. */
export const NAMESPACE = await enterNamespace();
