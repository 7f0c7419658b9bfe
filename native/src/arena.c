/*
 * Arenas and the packet pools inside them.
 *
 * A pool is an ordinary DPDK mbuf pool whose elements are placed by us (rte_mempool_populate_*)
 * in one reserved zone, so that every packet's bytes have an int32 offset that all workers share.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "arena.h"
#include "compat.h"
#include "errors.h"
#include "layout.h"

#define ARENAS_MAX 256
#define POOL_CACHE 256
#define LINE 64
#define PAGE 4096
#define STEERING_BYTES (STEER_WORDS * sizeof(int32_t))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena *arenas[ARENAS_MAX];

static size_t align_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

struct arena *arena_find(int64_t id)
{
	return id >= 0 && id < ARENAS_MAX ? arenas[id] : NULL;
}

static void destroy(struct arena *arena)
{
	for (unsigned int i = 0; i < arena->pool_count; i++)
		rte_mempool_free(arena->pools[i].mempool);
	if (arena->zone != NULL)
		rte_memzone_free(arena->zone);
	else if (arena->base != NULL)
		munmap(arena->base, arena->size);
	free(arena);
}

/* Drops one reference; the last one frees the memory. */
static void release(struct arena *arena)
{
	bool last;

	pthread_mutex_lock(&lock);
	last = --arena->references == 0;
	if (last)
		for (int i = 0; i < ARENAS_MAX; i++)
			if (arenas[i] == arena)
				arenas[i] = NULL;
	pthread_mutex_unlock(&lock);
	if (last)
		destroy(arena);
}

/*
 * An empty pool of `count` mbufs with `room` bytes each. Where a device sees virtual addresses
 * (IOVA as VA, the usual case) elements may cross pages; else DPDK keeps them inside one.
 */
static struct rte_mempool *empty_pool(unsigned int arena, unsigned int index, unsigned int count,
				      unsigned int room, int socket)
{
	unsigned int flags = RTE_MEMPOOL_F_NO_SPREAD;
	unsigned int cache = count >= 4 * POOL_CACHE ? POOL_CACHE : count / 4;
	char name[RTE_MEMZONE_NAMESIZE];
	struct rte_mempool *pool;

	if (rte_eal_iova_mode() == RTE_IOVA_VA)
		flags |= RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	snprintf(name, sizeof(name), "dn_%u_%u", arena, index);
	pool = rte_mempool_create_empty(name, count, MBUF_BYTES + room, cache,
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

static int populate(struct arena *arena, struct pool *pool)
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

static int reserve_id(struct arena *arena)
{
	int id = -1;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < ARENAS_MAX && id < 0; i++)
		if (arenas[i] == NULL)
			id = i;
	if (id >= 0)
		arenas[id] = arena;
	pthread_mutex_unlock(&lock);
	return id;
}

/* Makes the pools' headers and lays them out; returns the bytes they take, 0 on failure. */
static size_t plan_pools(napi_env env, struct arena *arena, int id, napi_value list, int socket)
{
	size_t at = 0;

	for (uint32_t i = 0; i < arena->pool_count; i++) {
		napi_value item = js_element(env, list, i);
		struct pool *pool = &arena->pools[i];

		pool->mempool = empty_pool(id, i, js_get_int(env, item, "count", 0),
					   js_get_int(env, item, "room", 0), socket);
		if (pool->mempool == NULL) {
			arena->pool_count = i;
			return 0;
		}
		pool->from = at;
		pool->to = at + pool_bytes(pool->mempool);
		at = align_up(pool->to, (pool->mempool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG) != 0
						? LINE : (size_t)sysconf(_SC_PAGESIZE));
	}
	return at;
}

/*
 * Memory for a virtual device may be a plain mapping: it costs what is touched, goes back at once
 * (DPDK's is cleared when it is freed, which takes a second for each gigabyte), and the kernel
 * can make large pages of it. Hardware needs DPDK's, which is mapped for it.
 */
static bool map_memory(struct arena *arena, int id, bool anonymous, int socket)
{
	char name[RTE_MEMZONE_NAMESIZE];
	void *memory;

	if (anonymous) {
		memory = mmap(NULL, arena->size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		rte_errno = errno;
		if (memory == MAP_FAILED)
			return false;
		madvise(memory, arena->size, MADV_HUGEPAGE);
		arena->base = memory;
		return true;
	}
	snprintf(name, sizeof(name), "dn_arena_%d", id);
	arena->zone = rte_memzone_reserve_aligned(name, arena->size, socket, 0, 4096);
	if (arena->zone == NULL)
		return false;
	arena->base = arena->zone->addr;
	return true;
}

static napi_value describe(napi_env env, struct arena *arena, int id, size_t rings_at,
			   unsigned int rings, size_t ring_bytes)
{
	size_t steering_at = rings_at + rings * ring_bytes;

	napi_value result = js_object(env), list = js_array(env);

	for (unsigned int i = 0; i < rings; i++)
		js_push(env, list, js_number(env, rings_at + i * ring_bytes));
	js_set_number(env, result, "id", id);
	js_set_number(env, result, "bytes", arena->size);
	js_set(env, result, "rings", list);
	js_set_number(env, result, "steeringAt", steering_at);
	js_set_number(env, result, "heapAt", align_up(steering_at + STEERING_BYTES, PAGE));
	return result;
}

/* arenaCreate({ pools: [{ count, room }], rings, heapBytes, socket, anonymous }) -> { id, bytes, ... } */
napi_value arena_create(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], list;
	size_t ring_bytes = align_up(RING_WORDS * sizeof(int32_t), LINE);
	struct arena *arena = calloc(1, sizeof(*arena));
	size_t rings_at, heap_at;
	unsigned int rings;
	int id, socket;

	js_arguments(env, info, argv);
	log_mark();
	if (arena == NULL)
		return throw_dpdk(env, "arenaCreate", ENOMEM);
	id = reserve_id(arena);
	list = js_get(env, argv[0], "pools");
	arena->references = 1;
	arena->pool_count = js_array_length(env, list);
	if (id < 0 || arena->pool_count > ARENA_POOLS_MAX) {
		free(arena);
		return throw_misuse(env, "ERANGE", "arenaCreate: too many arenas or pools");
	}
	socket = js_get_int(env, argv[0], "socket", SOCKET_ID_ANY);
	rings = js_get_int(env, argv[0], "rings", 1);
	rings_at = plan_pools(env, arena, id, list, socket);
	if (rings_at == 0)
		goto failed;
	heap_at = align_up(rings_at + rings * ring_bytes + STEERING_BYTES, PAGE);
	arena->size = heap_at + align_up(js_get_int(env, argv[0], "heapBytes", 0), LINE);
	if (arena->size > INT32_MAX) {
		rte_errno = EFBIG;
		goto failed;
	}
	if (!map_memory(arena, id, js_get_bool(env, argv[0], "anonymous", false), socket))
		goto failed;
	memset(arena->base + rings_at, 0, heap_at - rings_at);
	for (unsigned int i = 0; i < arena->pool_count; i++) {
		int result = populate(arena, &arena->pools[i]);

		if (result < 0) {
			rte_errno = -result;
			goto failed;
		}
	}
	return describe(env, arena, id, rings_at, rings, ring_bytes);

failed:
	throw_dpdk(env, "arenaCreate", rte_errno);
	release(arena);
	return NULL;
}

/*
 * One ArrayBuffer. It holds its reference until it is detached (arenaUnwrap), or until the
 * runtime finalizes it, whichever is first: JavaScript can reach the memory no longer.
 */
struct wrap {
	struct wrap *next;
	struct arena *arena;
	napi_env env;
};

static struct wrap *wraps;

/* Takes the wrap of that arena and worker out of the list; NULL when there is none. */
static struct wrap *take_wrap(const struct arena *arena, napi_env env)
{
	struct wrap **link = &wraps, *wrap;

	pthread_mutex_lock(&lock);
	while (*link != NULL && ((*link)->arena != arena || (*link)->env != env))
		link = &(*link)->next;
	wrap = *link;
	if (wrap != NULL)
		*link = wrap->next;
	pthread_mutex_unlock(&lock);
	return wrap;
}

static bool has_wrap(const struct arena *arena, napi_env env)
{
	struct wrap *wrap;

	pthread_mutex_lock(&lock);
	wrap = wraps;
	while (wrap != NULL && (wrap->arena != arena || wrap->env != env))
		wrap = wrap->next;
	pthread_mutex_unlock(&lock);
	return wrap != NULL;
}

static void unwrap(const struct arena *arena, napi_env env)
{
	struct wrap *wrap = take_wrap(arena, env);

	if (wrap != NULL) {
		release(wrap->arena);
		free(wrap);
	}
}

/* `hint` is only compared: the arena may be gone already. */
static void finalize(napi_env env, void *data, void *hint)
{
	(void)data;
	unwrap(hint, env);
}

/* arenaWrap(id) -> an ArrayBuffer for the calling worker, which may have one at a time */
napi_value arena_wrap(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], buffer;
	struct arena *arena;
	struct wrap *wrap;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	if (arena == NULL)
		return throw_misuse(env, "EBADF", "arenaWrap: no such arena");
	wrap = has_wrap(arena, env) ? NULL : calloc(1, sizeof(*wrap));
	if (wrap == NULL)
		return throw_misuse(env, "EEXIST", "arenaWrap: this worker has its ArrayBuffer");
	wrap->arena = arena;
	wrap->env = env;
	pthread_mutex_lock(&lock);
	arena->references++;
	wrap->next = wraps;
	wraps = wrap;
	pthread_mutex_unlock(&lock);
	if (napi_create_external_arraybuffer(env, arena->base, arena->size, finalize, arena,
					     &buffer) != napi_ok) {
		unwrap(arena, env);
		return throw_misuse(env, "ENOTSUP", "this runtime has no external ArrayBuffers");
	}
	return buffer;
}

/* arenaUnwrap(id, buffer): detaches it, so that no view of it can reach the memory any more */
napi_value arena_unwrap(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	bool detached = false;

	js_arguments(env, info, argv);
	napi_detach_arraybuffer(env, argv[1]);
	napi_is_detached_arraybuffer(env, argv[1], &detached);
	if (detached)
		unwrap(arena_find(js_to_int(env, argv[0], -1)), env);
	return js_undefined(env);
}

/* arenaFree(id): gives up ownership; the memory goes when the last ArrayBuffer is gone */
napi_value arena_free(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct arena *arena;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	if (arena != NULL)
		release(arena);
	return js_undefined(env);
}

/* arenaWipe(id, from, to): zeros; whole pages of a plain mapping go back to the kernel meanwhile */
napi_value arena_wipe(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct arena *arena;
	size_t from, to, first, last;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	from = js_to_int(env, argv[1], 0);
	to = js_to_int(env, argv[2], 0);
	if (arena == NULL || from > to || to > arena->size)
		return throw_misuse(env, "EINVAL", "arenaWipe: no such arena, or outside it");
	first = align_up(from, PAGE);
	last = to / PAGE * PAGE;
	if (arena->zone == NULL && first < last &&
	    madvise(arena->base + first, last - first, MADV_DONTNEED) == 0) {
		memset(arena->base + from, 0, first - from);
		from = last;
	}
	memset(arena->base + from, 0, to - from);
	return js_undefined(env);
}

void arena_flush_caches(void)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < ARENAS_MAX; i++)
		for (unsigned int p = 0; arenas[i] != NULL && p < arenas[i]->pool_count; p++) {
			struct rte_mempool *pool = arenas[i]->pools[p].mempool;

			if (pool != NULL)
				rte_mempool_cache_flush(NULL, pool);
		}
	pthread_mutex_unlock(&lock);
}

/* arenaUsage(id) -> [{ size, inUse }] for each pool */
napi_value arena_usage(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], list = js_array(env);
	struct arena *arena;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	for (unsigned int i = 0; arena != NULL && i < arena->pool_count; i++) {
		napi_value item = js_object(env);

		js_set_number(env, item, "size", arena->pools[i].mempool->size);
		js_set_number(env, item, "inUse",
			      rte_mempool_in_use_count(arena->pools[i].mempool));
		js_push(env, list, item);
	}
	return list;
}
