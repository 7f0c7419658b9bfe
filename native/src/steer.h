/*
 * Steering: every frame of a port with several queues reaches the queue of its flow, whatever
 * the device does (RSS in software).
 *
 * The hash of a frame has an entry in a table, the entry a queue. A frame that came to another
 * queue goes there through that queue's ring: no copy, bounded, in order. The table lies in the
 * arena (layout.h), where all workers see it; src/link/steering.ts is its other half.
 *
 * An entry is given another queue while frames fly: it takes effect when none of the entry's
 * frames is in a ring any more (STEER_FLYING), so no frame overtakes another of its flow there.
 */
#ifndef DPDK_NET_STEER_H
#define DPDK_NET_STEER_H

#include <rte_ring.h>

#include "js.h"
#include "layout.h"

struct queue;
struct wake;
struct rte_mbuf;

#define STEER_QUEUES_MAX 128

struct steering {
	/* The tables in the arena. */
	int32_t *words;
	uint16_t queues;
	/* Hash of the high and of the low byte of a fold. */
	uint16_t spread[2][256];
	/* Frames from others, for each queue. */
	struct rte_ring *rings[STEER_QUEUES_MAX];
	/* Their workers, when they may sleep. */
	struct wake *wakes[STEER_QUEUES_MAX];
};

struct steering *steering_find(int64_t id);

/* True when frames wait in the queue's ring. */
bool steer_has_frames(const struct queue *queue);

/*
 * Receives up to RX_MAX frames that are this queue's: first those that others handed over, then
 * those of the device; what the device brings of others' is handed to them.
 */
uint16_t steer_receive(struct queue *queue, struct rte_mbuf **frames);

napi_value steering_open(napi_env env, napi_callback_info info);
napi_value steering_close(napi_env env, napi_callback_info info);

#endif
