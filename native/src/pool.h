/*
 * The packet pools of an arena.
 */
#ifndef DPDK_NET_POOL_H
#define DPDK_NET_POOL_H

#include "arena.h"

/* Makes the pools' headers and lays them out; returns the bytes they take, 0 on failure. */
size_t pools_plan(napi_env env, struct arena *arena, int id, napi_value list, int socket);
/* Puts the pool's elements into the arena's memory; negative on failure. */
int pool_populate(const struct arena *arena, struct pool *pool);

static inline size_t align_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

#endif
