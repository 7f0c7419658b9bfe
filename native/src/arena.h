/*
 * The arena: one contiguous piece of memory for packets, rings and the stack's heaps.
 *
 *   0                                                                   size
 *   | pool 0 (mbufs) | pool 1 | ... | ring 0 | ring 1 | ... | steering | heap |
 *
 * JavaScript sees it as one external ArrayBuffer per worker; a packet is an offset into it.
 * The arena lives until it was freed *and* no ArrayBuffer shows it any more.
 */
#ifndef DPDK_NET_ARENA_H
#define DPDK_NET_ARENA_H

#include <rte_mempool.h>
#include <rte_memzone.h>

#include "js.h"

#define ARENA_POOLS_MAX 512

struct pool {
	struct rte_mempool *mempool;
	/* The pool's part of the arena, in bytes from its start. */
	size_t from, to;
};

struct arena {
	/* DPDK's memory, or NULL: then the arena is a mapping of its own. */
	const struct rte_memzone *zone;
	uint8_t *base;
	size_t size;
	/* 1 for the owner, 1 for each ArrayBuffer. */
	int references;
	unsigned int pool_count;
	struct pool pools[ARENA_POOLS_MAX];
};

/* The arena with that id, NULL when there is none. */
struct arena *arena_find(int64_t id);

/* Takes and drops a reference; the last one frees the memory. */
void arena_hold(struct arena *arena);
void arena_release(struct arena *arena);

/* Empties the calling thread's caches: what is in them nobody else can use (an lcore that ends). */
void arena_flush_caches(void);

napi_value arena_create(napi_env env, napi_callback_info info);
napi_value arena_wrap(napi_env env, napi_callback_info info);
napi_value arena_unwrap(napi_env env, napi_callback_info info);
napi_value arena_free(napi_env env, napi_callback_info info);
napi_value arena_wipe(napi_env env, napi_callback_info info);
napi_value arena_usage(napi_env env, napi_callback_info info);

#endif
