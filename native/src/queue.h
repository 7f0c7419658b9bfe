/*
 * A queue: one receive and one transmit queue of a port, with its ring in the arena.
 *
 * JavaScript holds a handle (index and generation); a handle of a closed queue is recognised,
 * never followed. One thread at a time may be in a queue's burst.
 */
#ifndef DPDK_NET_QUEUE_H
#define DPDK_NET_QUEUE_H

#include <rte_mbuf.h>

#include "arena.h"
#include "layout.h"
#include "steer.h"
#include "wake.h"

/* Flows of which one burst can join segments at the same time. */
#define JOINING_MAX 8
/* Frames cut from a large segment at once. */
#define CUT_MAX 64

enum queue_counter {
	COUNT_RX_FRAMES,
	COUNT_RX_BYTES,
	COUNT_TX_FRAMES,
	COUNT_TX_BYTES,
	COUNT_RX_JOINED,
	COUNT_RX_FOREIGN,
	COUNT_RX_CHAIN_TOO_LONG,
	COUNT_TX_BAD_DESCRIPTOR,
	COUNT_TX_TOO_LONG,
	COUNT_TX_REFUSED,
	COUNT_NO_SLOTS,
	COUNT_RX_HANDED_OVER,
	COUNT_RX_TAKEN_OVER,
	COUNT_RX_HANDOVER_FULL,
	COUNT_RX_RULED_OUT,
	COUNT_RX_NO_BUFFERS,
	COUNT_RX_GATHERED,
	QUEUE_COUNTERS
};

/* A received segment that the next ones of its flow may be appended to (join.c). */
struct joining {
	/* The frame, its length without padding, and the bytes before its payload. */
	uint8_t *at;
	uint32_t length, headers;
	/* Length of the IP header; payload of the first segment; the sequence number behind. */
	uint32_t network, payload, next;
	/* Bytes that fit the large buffer it was moved to; 0: it was not yet. */
	uint32_t room;
	/* Its number in the burst. */
	uint16_t index;
	int32_t *descriptor;
};

struct queue {
	/* 1 while a thread is in the burst; taken by atomic exchange. */
	int busy;
	/* 0 when closed. */
	int open;
	uint32_t generation;
	/* The driver's control callbacks change what the burst uses (guard.h). */
	bool guarded;
	/* What the device has received is to be freed at the end: the driver does not (net_ring). */
	bool drain;

	uint16_t port, id;
	struct arena *arena;
	/* Which queue a frame is for; NULL: whatever comes is ours. */
	struct steering *steering;
	/* The queues that got frames from this one in this burst, a bit each. */
	uint64_t handed_to[STEER_QUEUES_MAX / 64];
	/* Who is woken when something comes for a worker that sleeps, NULL: nobody. */
	struct wake *wake;
	/* What the device receives into. */
	struct rte_mempool *rx_pool;
	int32_t *ring;

	/* Transmit slots: elements of this pool. state[] has one byte for each 64 bytes of it. */
	struct pool *slots;
	uint8_t *state;

	/* What the hardware does; the rest is done here. */
	bool hardware_tx_sums, hardware_rx_sums, hardware_segmentation;
	/* Received frames may carry a sum over the pseudo header only (checksum.h). */
	bool unfinished_sums;
	/* Longest frame the device sends, and most payload of a segment it cuts (0: none). */
	uint32_t frame_max, segment_max;
	/* Shorter frames are filled up with zeros. */
	uint32_t frame_min;

	/* Received by the last burst, freed by the next. */
	uint16_t held_count;
	struct rte_mbuf *held[RX_MAX];

	/* Buffers for joined segments, NULL: none are joined; and the flows of this burst. */
	struct rte_mempool *join_pool;
	/* Large buffers for frames that came in several. */
	struct rte_mempool *gather_pool;
	uint32_t joining_count;
	struct joining joining[JOINING_MAX];

	/* Taken from the ring and not yet by the device: waiting[first..last). */
	struct rte_mbuf **waiting;
	uint32_t waiting_first, waiting_last, waiting_size;

	/*
	 * Frames cut from the large segment at waiting[first] and not yet sent: cut[first..last);
	 * its payload is cut up to cut_offset. NULL pool: no segmentation in software.
	 */
	struct rte_mempool *cut_pool;
	uint16_t cut_first, cut_last;
	uint32_t cut_offset;
	struct rte_mbuf *cut[CUT_MAX];

	uint64_t counters[QUEUE_COUNTERS];
};

/* For the guard: true while a guarded queue is in a burst. */
bool queue_any_busy(void);
/* Returns when every burst that a queue of the port was in has ended. */
void queue_wait_port(uint16_t port);
/* Tells the queues of a port whether its device runs; a burst of a stopped port does nothing. */
void queue_port_running(uint16_t port, bool running);
/* Tells the queues of a port, and the stacks on them, the MTU of its device. */
void queue_port_mtu(uint16_t port, uint16_t mtu);

napi_value queue_open(napi_env env, napi_callback_info info);
napi_value queue_reclaim(napi_env env, napi_callback_info info);
napi_value queue_close(napi_env env, napi_callback_info info);
napi_value queue_on_wake(napi_env env, napi_callback_info info);
napi_value queue_sleep(napi_env env, napi_callback_info info);
napi_value queue_wake(napi_env env, napi_callback_info info);
napi_value queue_counters(napi_env env, napi_callback_info info);
napi_value queue_exchange(napi_env env, napi_callback_info info);

#endif
