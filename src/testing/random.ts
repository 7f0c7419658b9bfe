/**
 * Seeded random numbers: the generator of the fault link, for tests.
 * @module
 */
export { Random } from '../link/random.ts';
