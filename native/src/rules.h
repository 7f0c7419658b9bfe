/*
 * Flow rules: what happens to frames that match a pattern (src/flow).
 *
 * The first rule of a port that matches a frame says what becomes of it. All rules are matched
 * here, in the burst, from a flat table of values and masks; a device that takes one too
 * (offer.h) spares the frames the way up, or the hand-over between queues.
 */
#ifndef DPDK_NET_RULES_H
#define DPDK_NET_RULES_H

#include <rte_flow.h>
#include <rte_mbuf.h>

#include "js.h"
#include "layout.h"

#define RULES_MAX 256

struct rule {
	int32_t id;
	int32_t words[RULE_WORDS];
	uint64_t frames, bytes;
	/* The queues of words[RULE_QUEUES], as a list. */
	uint8_t queues[128];
	uint8_t queue_count;
	/* The device's own rule, NULL: it took none. */
	struct rte_flow *offered;
};

/* The rules of a port, in the order of their creation: never changed, but replaced as a whole. */
struct rules {
	uint32_t count;
	struct rule *rule[];
};

/* The rules of a port, NULL: there are none. Valid until the burst ends. */
const struct rules *rules_of(uint16_t port);

/*
 * What the rules say of a frame: its queue, or RULES_NONE or RULES_DROP. Fills in the mark.
 * `hash` chooses among several queues.
 */
#define RULES_NONE (-1)
#define RULES_DROP (-2)
int rules_match(const struct rules *rules, struct rte_mbuf *mbuf, uint32_t hash);

/* Forgets all rules of a port that is closed. */
void rules_forget(uint16_t port);

napi_value rule_create(napi_env env, napi_callback_info info);
napi_value rule_destroy(napi_env env, napi_callback_info info);
napi_value rule_counters(napi_env env, napi_callback_info info);

#endif
