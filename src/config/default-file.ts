/**
 * Apart, so that a command's help need not load the whole of the configuration.
 * @module
 */

/** The configuration when no file is named. */
export const DEFAULT_FILE = 'dpdk-net.toml';
