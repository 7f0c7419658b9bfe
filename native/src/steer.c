/*
 * Handing frames over between the queues of a port.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <rte_ethdev.h>

#include "arena.h"
#include "burst.h"
#include "errors.h"
#include "flow.h"
#include "queue.h"
#include "rules.h"
#include "steer.h"

#define STEERINGS_MAX 64
#define CHANGING ((int32_t)STEER_CHANGING)
/*
 * Frames that wait for one queue: ten milliseconds of a worker that collects garbage. One that stands still
 * keeps no more of the others' memory.
 */
#define RING_SIZE 2048
/* Of one burst: the rest is for the device. A multiple of what vector drivers ask for. */
#define HANDED_MAX 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct steering *steerings[STEERINGS_MAX];

struct steering *steering_find(int64_t id)
{
	return id >= 0 && id < STEERINGS_MAX ? steerings[id] : NULL;
}

static inline int32_t *word(const struct steering *steering, uint32_t base, uint32_t entry)
{
	return steering->words + base + entry;
}

static inline uint16_t queue_of(const struct steering *steering, uint32_t entry)
{
	uint32_t queue = (uint32_t)__atomic_load_n(word(steering, STEER_TABLE, entry), __ATOMIC_SEQ_CST);

	/* The table is written by JavaScript: it is not trusted. */
	return queue < steering->queues ? (uint16_t)queue : 0;
}

/* Counts a frame that is to go through a ring; waits while an entry's queue is being changed. */
static inline void fly(const struct steering *steering, uint32_t entry)
{
	int32_t *flying = word(steering, STEER_FLYING, entry);

	if (__atomic_fetch_add(flying, 1, __ATOMIC_SEQ_CST) >= 0)
		return;
	while (__atomic_load_n(flying, __ATOMIC_SEQ_CST) < 0)
		sched_yield();
}

/* A frame of the entry is in no ring any more; if it was the last one the queue may change. */
static inline void land(const struct steering *steering, uint32_t entry)
{
	int32_t *flying = word(steering, STEER_FLYING, entry), *now = word(steering, STEER_TABLE, entry);
	int32_t wanted = __atomic_load_n(word(steering, STEER_WANTED, entry), __ATOMIC_RELAXED);
	int32_t alone = 1;

	if (likely(wanted == __atomic_load_n(now, __ATOMIC_RELAXED)) ||
	    !__atomic_compare_exchange_n(flying, &alone, CHANGING, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		__atomic_fetch_sub(flying, 1, __ATOMIC_SEQ_CST);
		return;
	}
	__atomic_store_n(now, wanted, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(steering->words + STEER_CHANGES, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(flying, CHANGING, __ATOMIC_SEQ_CST);
}

/* Gives a frame, which flies, to a queue; when that has no room it is dropped and counted. */
static void hand_over(struct queue *queue, struct rte_mbuf *mbuf, uint16_t target, uint32_t entry)
{
	if (rte_ring_mp_enqueue(queue->steering->rings[target], mbuf) == 0) {
		queue->counters[COUNT_RX_HANDED_OVER]++;
		queue->handed_to[target / 64] |= UINT64_C(1) << target % 64;
		return;
	}
	land(queue->steering, entry);
	queue->counters[COUNT_RX_HANDOVER_FULL]++;
	rte_pktmbuf_free(mbuf);
}

bool steer_has_frames(const struct queue *queue)
{
	return queue->steering != NULL && !rte_ring_empty(queue->steering->rings[queue->id]);
}

/* What others handed over; not all of it need be ours (frames sent astray are not). */
static uint16_t take_handed(struct queue *queue, struct rte_mbuf **frames)
{
	const struct steering *steering = queue->steering;
	struct rte_mbuf *taken[HANDED_MAX];
	uint32_t count = rte_ring_sc_dequeue_burst(steering->rings[queue->id], (void **)taken,
						   HANDED_MAX, NULL);
	uint16_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t entry = taken[i]->hash.rss % STEER_ENTRIES;
		uint16_t target = queue_of(steering, entry);

		if (target != queue->id && (taken[i]->ol_flags & RTE_MBUF_F_RX_FDIR) == 0) {
			hand_over(queue, taken[i], target, entry);
			continue;
		}
		land(steering, entry);
		frames[kept++] = taken[i];
	}
	queue->counters[COUNT_RX_TAKEN_OVER] += kept;
	return kept;
}

/* A share of the flows, for tests, is treated as if the device had another queue for them. */
static inline bool is_astray(const struct steering *steering, uint32_t hash)
{
	int32_t share = __atomic_load_n(steering->words + STEER_ASTRAY, __ATOMIC_RELAXED);

	return share != 0 && (int32_t)((hash & 0xffff) * 0x9e3779b1u >> 16) < share;
}

/* The frame's hash, noted in it; 0 and not noted for what has no flow. */
static inline uint32_t hash_of(const struct steering *steering, struct rte_mbuf *mbuf)
{
	uint32_t fold, hash;

	mbuf->ol_flags &= ~(RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_FDIR);
	mbuf->hash.rss = 0;
	if (!flow_fold(rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len, &fold))
		return 0;
	hash = (uint32_t)steering->spread[0][fold >> 8] ^ steering->spread[1][fold & 255];
	hash |= hash << 16;
	mbuf->hash.rss = hash;
	mbuf->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	return hash;
}

/* True when a frame from the device is this queue's by its hash; else it was handed to its queue. */
static inline bool steer(struct queue *queue, struct rte_mbuf *mbuf, uint32_t hash)
{
	const struct steering *steering = queue->steering;
	uint32_t entry = hash % STEER_ENTRIES;
	bool astray = is_astray(steering, hash);
	uint16_t target;

	if ((mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH) == 0 ||
	    likely(!astray && queue_of(steering, entry) == queue->id))
		return true;
	fly(steering, entry);
	/* Looked at again: nobody changes it now. */
	target = queue_of(steering, entry);
	if (astray) {
		target = (target + 1) % steering->queues;
	} else if (target == queue->id) {
		land(steering, entry);
		return true;
	}
	hand_over(queue, mbuf, target, entry);
	return false;
}

/* True when the rules leave a frame from the device with this queue. */
static bool rule(struct queue *queue, const struct rules *rules, struct rte_mbuf *mbuf, uint32_t hash)
{
	int target = rules_match(rules, mbuf, hash);

	if (target == RULES_NONE || target >= queue->steering->queues)
		return steer(queue, mbuf, hash);
	if (target == RULES_DROP) {
		queue->counters[COUNT_RX_RULED_OUT]++;
		rte_pktmbuf_free(mbuf);
		return false;
	}
	if (target == queue->id)
		return true;
	/* Whoever takes it does not ask its hash. */
	mbuf->ol_flags |= RTE_MBUF_F_RX_FDIR;
	fly(queue->steering, hash % STEER_ENTRIES);
	hand_over(queue, mbuf, (uint16_t)target, hash % STEER_ENTRIES);
	return false;
}

/* Wakes the workers that were given something, if they sleep. */
static void wake_others(struct queue *queue)
{
	/* The frames first, then the look whether somebody sleeps. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint32_t part = 0; part < RTE_DIM(queue->handed_to); part++) {
		for (; queue->handed_to[part] != 0;
		     queue->handed_to[part] &= queue->handed_to[part] - 1) {
			uint32_t target = part * 64 + rte_bsf64(queue->handed_to[part]);

			wake_ring(__atomic_load_n(&queue->steering->wakes[target],
						  __ATOMIC_ACQUIRE));
		}
	}
}

uint16_t steer_receive(struct queue *queue, struct rte_mbuf **frames)
{
	uint16_t kept = take_handed(queue, frames), count;
	const struct rules *rules = rules_of(queue->port);
	struct rte_mbuf *arrived[RX_MAX];

	count = receive_burst(queue, arrived,
			      kept == 0 ? RX_MAX : RX_MAX - HANDED_MAX);
	for (uint16_t i = 0; i < count; i++) {
		uint32_t hash;

		if (i + 4 < count)
			rte_prefetch0(rte_pktmbuf_mtod(arrived[i + 4], void *));
		hash = hash_of(queue->steering, arrived[i]);
		if (likely(rules == NULL) ? steer(queue, arrived[i], hash)
					  : rule(queue, rules, arrived[i], hash))
			frames[kept++] = arrived[i];
	}
	if ((queue->handed_to[0] | queue->handed_to[1]) != 0)
		wake_others(queue);
	return kept;
}

/* The hash's lower half: for each bit that is set, the key turned left by the bit's place. */
static uint16_t spread_bits(uint32_t key, uint32_t fold)
{
	uint32_t hash = 0, twice = key << 16 | key;

	for (uint32_t bit = 0; bit < 16; bit++)
		if ((fold << bit & 0x8000) != 0)
			hash ^= twice << bit >> 16;
	return (uint16_t)hash;
}

static void destroy(struct steering *steering)
{
	for (uint16_t i = 0; i < steering->queues && steering->rings[i] != NULL; i++) {
		void *left;

		while (rte_ring_sc_dequeue(steering->rings[i], &left) == 0)
			rte_pktmbuf_free(left);
		free(steering->rings[i]);
	}
	free(steering);
}

static struct steering *create(int32_t *words, uint16_t queues)
{
	struct steering *steering = calloc(1, sizeof(*steering));

	if (steering == NULL)
		return NULL;
	steering->words = words;
	steering->queues = queues;
	for (uint32_t byte = 0; byte < 256; byte++) {
		steering->spread[0][byte] = spread_bits((uint16_t)words[STEER_KEY], byte << 8);
		steering->spread[1][byte] = spread_bits((uint16_t)words[STEER_KEY], byte);
	}
	for (uint16_t i = 0; i < queues; i++) {
		struct rte_ring *ring = aligned_alloc(RTE_CACHE_LINE_SIZE,
						      rte_ring_get_memsize(RING_SIZE));

		if (ring == NULL || rte_ring_init(ring, "handed", RING_SIZE, RING_F_SC_DEQ) != 0) {
			free(ring);
			destroy(steering);
			return NULL;
		}
		steering->rings[i] = ring;
	}
	return steering;
}

/* steeringOpen({ arena, at, queues }) -> id; the tables at `at` are filled in already */
napi_value steering_open(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct steering *steering = NULL;
	struct arena *arena;
	int64_t at, queues;
	int id = 0;

	js_arguments(env, info, argv);
	arena = arena_find(js_get_int(env, argv[0], "arena", -1));
	at = js_get_int(env, argv[0], "at", -1);
	queues = js_get_int(env, argv[0], "queues", 0);
	if (arena == NULL || at < 0 || at % 4 != 0 || queues < 1 || queues > STEER_QUEUES_MAX ||
	    (size_t)at + STEER_WORDS * sizeof(int32_t) > arena->size)
		return throw_misuse(env, "EINVAL", "steeringOpen: no such arena, place or queues");
	pthread_mutex_lock(&lock);
	while (id < STEERINGS_MAX && steerings[id] != NULL)
		id++;
	if (id < STEERINGS_MAX)
		steering = create((int32_t *)(arena->base + at), (uint16_t)queues);
	if (steering != NULL)
		steerings[id] = steering;
	pthread_mutex_unlock(&lock);
	if (steering == NULL)
		return throw_misuse(env, "ENOMEM", "steeringOpen: no memory, or too many ports");
	return js_number(env, id);
}

/* steeringClose(id): after its queues, before its arena; idempotent */
napi_value steering_close(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct steering *steering;
	int64_t id;

	js_arguments(env, info, argv);
	id = js_to_int(env, argv[0], -1);
	pthread_mutex_lock(&lock);
	steering = steering_find(id);
	if (steering != NULL) {
		steerings[id] = NULL;
		destroy(steering);
	}
	pthread_mutex_unlock(&lock);
	return js_undefined(env);
}
