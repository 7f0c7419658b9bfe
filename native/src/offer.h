/*
 * Offering a flow rule to the device (rte_flow). What it takes it does before a frame costs us
 * anything; rules.c does the same with what still comes.
 */
#ifndef DPDK_NET_OFFER_H
#define DPDK_NET_OFFER_H

#include "rules.h"

/* The device's rule, with a priority behind those of all earlier ones; NULL: it takes it not. */
struct rte_flow *offer(uint16_t port, const struct rule *rule, uint32_t priority);
void offer_withdraw(uint16_t port, struct rte_flow *flow);
void offer_count(uint16_t port, struct rte_flow *flow, uint64_t *frames, uint64_t *bytes);

#endif
