/*
 * A pool is an ordinary DPDK mbuf pool whose elements are placed by us (rte_mempool_populate_*)
 * in the arena, so that every packet's bytes have an int32 offset that all workers share.
 */
#include <errno.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "compat.h"
#include "layout.h"
#include "pool.h"
#include "shared_pool.h"

#define POOL_CACHE 256
#define LINE 64

/*
 * An empty pool of `count` mbufs with `room` bytes each. Where a device sees virtual addresses
 * (IOVA as VA, the usual case) elements may cross pages; else DPDK keeps them inside one.
 */
static struct rte_mempool *empty_pool(const char *name, unsigned int count, unsigned int room,
				      int socket, bool cached)
{
	unsigned int flags = RTE_MEMPOOL_F_NO_SPREAD;
	unsigned int cache = count >= 4 * POOL_CACHE ? POOL_CACHE : count / 4;
	struct rte_mempool *pool;

	if (rte_eal_iova_mode() == RTE_IOVA_VA)
		flags |= RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	pool = rte_mempool_create_empty(name, count, MBUF_BYTES + room, cached ? cache : 0,
					sizeof(struct rte_pktmbuf_pool_private), socket, flags);
	if (pool == NULL)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_pktmbuf_pool_init(pool, NULL);
	return pool;
}

/* Bytes a pool needs, with what is lost at the end of pages when elements may not cross them. */
static size_t pool_bytes(const struct rte_mempool *pool)
{
	size_t element = pool->header_size + pool->elt_size + pool->trailer_size;
	size_t page;

	if ((pool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG) != 0 ||
	    rte_mempool_get_page_size((struct rte_mempool *)(uintptr_t)pool, &page) < 0 || page == 0)
		return align_up(pool->size * element + LINE, LINE);
	if (element > page)
		return align_up(pool->size * align_up(element, page), page);
	return align_up(pool->size, page / element) / (page / element) * page + page;
}

int pool_populate(const struct arena *arena, struct pool *pool)
{
	struct rte_mempool *mempool = pool->mempool;
	char *at = (char *)arena->base + pool->from;
	size_t length = pool->to - pool->from;
	int count;

	if ((mempool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG) != 0)
		count = rte_mempool_populate_iova(mempool, at, (rte_iova_t)(uintptr_t)at, length,
						  NULL, NULL);
	else
		count = rte_mempool_populate_virt(
			mempool, at, length,
			arena->zone != NULL ? arena->zone->hugepage_sz : (size_t)sysconf(_SC_PAGESIZE),
			NULL, NULL);
	if (count < 0)
		return count;
	if (mempool->populated_size < mempool->size)
		return -ENOMEM;
	rte_mempool_obj_iter(mempool, rte_pktmbuf_init, NULL);
	return 0;
}

/*
 * The pool that an item describes, with no elements yet. Pools that are shared, or that borrow and
 * are too small for a cache that serves a burst, have none.
 */
static struct rte_mempool *plan_pool(napi_env env, const char *name, napi_value item, int socket)
{
	unsigned int count = js_get_int(env, item, "count", 0);
	bool cached = !js_get_bool(env, item, "uncached", false) &&
		      (js_get_int(env, item, "shared", -1) < 0 || count >= 4 * RX_MAX);

	return empty_pool(name, count, js_get_int(env, item, "room", 0), socket, cached);
}

/* Lets pools borrow from the one that their items name. */
static bool plan_sharing(napi_env env, const struct arena *arena, napi_value list)
{
	for (uint32_t i = 0; i < arena->pool_count; i++) {
		int64_t shared = js_get_int(env, js_element(env, list, i), "shared", -1);

		if (shared >= 0 &&
		    (shared >= arena->pool_count ||
		     shared_pool_borrow(arena->pools[i].mempool, arena->pools[shared].mempool) != 0))
			return false;
	}
	return true;
}

size_t pools_plan(napi_env env, struct arena *arena, int id, napi_value list, int socket)
{
	char name[RTE_MEMZONE_NAMESIZE];
	size_t at = 0;

	for (uint32_t i = 0; i < arena->pool_count; i++) {
		struct pool *pool = &arena->pools[i];

		snprintf(name, sizeof(name), "dn_%d_%u", id, i);
		pool->mempool = plan_pool(env, name, js_element(env, list, i), socket);
		if (pool->mempool == NULL) {
			arena->pool_count = i;
			return 0;
		}
		pool->from = at;
		pool->to = at + pool_bytes(pool->mempool);
		at = align_up(pool->to, (pool->mempool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG) != 0
						? LINE : (size_t)sysconf(_SC_PAGESIZE));
	}
	return plan_sharing(env, arena, list) ? at : 0;
}
