/*
 * Pools that borrow: each queue has receive buffers of its own, and when they are out it takes
 * from one pool that all queues of its port share. A borrowed buffer names the shared pool as its
 * own, so whoever frees it gives it back there: nothing has to be told apart.
 *
 * What a worker's cache asks for to fill up (more than the cache holds) is not lent: it would
 * keep there what another queue needs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_ring.h>

#include "shared_pool.h"

/* What such a pool has beside its elements. */
struct borrower {
	struct rte_ring *ring;
	struct rte_mempool *shared;
	uint64_t borrowed;
};

static int borrower_alloc(struct rte_mempool *pool)
{
	struct borrower *borrower = calloc(1, sizeof(*borrower));
	char name[RTE_RING_NAMESIZE];

	if (borrower == NULL)
		return -ENOMEM;
	snprintf(name, sizeof(name), "b_%s", pool->name);
	borrower->shared = pool->pool_config;
	borrower->ring = rte_ring_create(name, rte_align32pow2(pool->size + 1), pool->socket_id, 0);
	if (borrower->ring == NULL) {
		free(borrower);
		return -ENOMEM;
	}
	pool->pool_data = borrower;
	return 0;
}

static void borrower_free(struct rte_mempool *pool)
{
	struct borrower *borrower = pool->pool_data;

	rte_ring_free(borrower->ring);
	free(borrower);
}

static int enqueue(struct rte_mempool *pool, void *const *buffers, unsigned int count)
{
	const struct borrower *borrower = pool->pool_data;

	return rte_ring_mp_enqueue_bulk(borrower->ring, buffers, count, NULL) == 0 ? -ENOBUFS : 0;
}

static int dequeue(struct rte_mempool *pool, void **buffers, unsigned int count)
{
	struct borrower *borrower = pool->pool_data;
	unsigned int own;

	if (likely(rte_ring_mc_dequeue_bulk(borrower->ring, buffers, count, NULL) != 0))
		return 0;
	if (pool->cache_size != 0 && count > pool->cache_size)
		return -ENOBUFS;
	own = rte_ring_mc_dequeue_burst(borrower->ring, buffers, count, NULL);
	if (rte_mempool_get_bulk(borrower->shared, buffers + own, count - own) != 0) {
		rte_ring_mp_enqueue_bulk(borrower->ring, buffers, own, NULL);
		return -ENOBUFS;
	}
	__atomic_fetch_add(&borrower->borrowed, count - own, __ATOMIC_RELAXED);
	return 0;
}

static unsigned int own_count(const struct rte_mempool *pool)
{
	return rte_ring_count(((const struct borrower *)pool->pool_data)->ring);
}

static const struct rte_mempool_ops borrower_ops = {
	.name = "dpdk_net_borrower",
	.alloc = borrower_alloc,
	.free = borrower_free,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.get_count = own_count,
};

RTE_MEMPOOL_REGISTER_OPS(borrower_ops);

int shared_pool_borrow(struct rte_mempool *pool, struct rte_mempool *shared)
{
	return rte_mempool_set_ops_byname(pool, borrower_ops.name, shared);
}

static inline bool borrows(const struct rte_mempool *pool)
{
	return rte_mempool_get_ops(pool->ops_index)->dequeue == dequeue;
}

uint64_t shared_pool_borrowed(const struct rte_mempool *pool)
{
	return borrows(pool) ? ((const struct borrower *)pool->pool_data)->borrowed : 0;
}

bool shared_pool_has(const struct rte_mempool *pool, unsigned int count)
{
	unsigned int available = rte_mempool_ops_get_count(pool);

	if (available < count && borrows(pool))
		available += rte_mempool_ops_get_count(
			((const struct borrower *)pool->pool_data)->shared);
	return available >= count;
}
