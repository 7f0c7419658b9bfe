/*
 * Pools that borrow from a shared one when they are empty.
 */
#ifndef DPDK_NET_SHARED_POOL_H
#define DPDK_NET_SHARED_POOL_H

#include <stdbool.h>

#include <rte_mempool.h>

/* Makes an empty pool borrow from `shared`, before it is populated; negative on failure. */
int shared_pool_borrow(struct rte_mempool *pool, struct rte_mempool *shared);
/* How many buffers the pool has borrowed so far. */
uint64_t shared_pool_borrowed(const struct rte_mempool *pool);
/* True when the pool, or what it borrows from, has so many; caches are not looked into. */
bool shared_pool_has(const struct rte_mempool *pool, unsigned int count);

#endif
