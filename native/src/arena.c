/*
 * Arenas: their memory, and how it is laid out. Pools are pool.c's, ArrayBuffers wrap.c's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_errno.h>

#include "arena.h"
#include "errors.h"
#include "layout.h"
#include "pool.h"

#define ARENAS_MAX 256
#define LINE 64
#define PAGE 4096
#define STEERING_BYTES (STEER_WORDS * sizeof(int32_t))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena *arenas[ARENAS_MAX];

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

void arena_hold(struct arena *arena)
{
	pthread_mutex_lock(&lock);
	arena->references++;
	pthread_mutex_unlock(&lock);
}

void arena_release(struct arena *arena)
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
	rings_at = pools_plan(env, arena, id, list, socket);
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
		int result = pool_populate(arena, &arena->pools[i]);

		if (result < 0) {
			rte_errno = -result;
			goto failed;
		}
	}
	return describe(env, arena, id, rings_at, rings, ring_bytes);

failed:
	throw_dpdk(env, "arenaCreate", rte_errno);
	arena_release(arena);
	return NULL;
}

/* arenaFree(id): gives up ownership; the memory goes when the last ArrayBuffer is gone */
napi_value arena_free(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct arena *arena;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	if (arena != NULL)
		arena_release(arena);
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
