/*
 * A device's own receive side scaling: our key, our table (steer.h says what is ours).
 */
#ifndef DPDK_NET_RSS_H
#define DPDK_NET_RSS_H

#include <rte_ethdev.h>

#include "js.h"

/* The longest key that a device has, with some to spare. */
#define RSS_KEY_MAX 64

/*
 * Asks for the hash functions that the device has of those we want, with a key that repeats the
 * 16 bits; `key` must live until the device is configured. Returns the functions, 0: none.
 */
uint64_t rss_ask(const struct rte_eth_dev_info *details, uint16_t repeated, uint8_t *key,
		 struct rte_eth_conf *conf);

/* The functions by name: ['ipv4-tcp', ...]. */
napi_value rss_names(napi_env env, uint64_t bits);

napi_value rss_write(napi_env env, napi_callback_info info);

#endif
