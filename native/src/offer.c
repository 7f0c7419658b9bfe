/*
 * A rule in rte_flow's words. All rules are offered; the device refuses what it can not do (ranges
 * of ports hardly any can).
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_flow.h>

#include "offer.h"

#define ITEMS_MAX 6
#define ACTIONS_MAX 4

/* Space for the parts that items and actions point to. */
struct description {
	struct rte_flow_item items[ITEMS_MAX];
	struct rte_flow_action actions[ACTIONS_MAX];
	int item_count, action_count;
	struct rte_flow_item_eth eth, eth_mask;
	struct rte_flow_item_vlan vlan, vlan_mask;
	struct rte_flow_item_ipv4 v4, v4_mask;
	struct rte_flow_item_ipv6 v6, v6_mask;
	/* TCP and UDP have their ports in the same place. */
	struct rte_flow_item_tcp ports, ports_last, ports_mask;
	struct rte_flow_item_udp udp, udp_last, udp_mask;
	struct rte_flow_action_queue queue;
	struct rte_flow_action_mark mark;
	struct rte_flow_action_rss rss;
	uint16_t rss_queues[128];
};

static uint32_t value(const struct rule *rule, int word)
{
	return (uint32_t)rule->words[RULE_VALUE + word];
}

static uint32_t mask(const struct rule *rule, int word)
{
	return (uint32_t)rule->words[RULE_MASK + word];
}

static void add_item(struct description *all, enum rte_flow_item_type type, const void *spec,
		     const void *last, const void *mask_of)
{
	all->items[all->item_count++] = (struct rte_flow_item){
		.type = type, .spec = spec, .last = last, .mask = mask_of};
}

/* Address words as bytes in the order of the network. */
static void put_words(void *to, const struct rule *rule, int from, int count,
		      uint32_t (*of)(const struct rule *, int))
{
	for (int i = 0; i < count; i++) {
		uint32_t word = rte_cpu_to_be_32(of(rule, from + i));

		memcpy((uint8_t *)to + 4 * i, &word, sizeof(word));
	}
}

static void put_mac(uint8_t *to, const struct rule *rule, int from,
		    uint32_t (*of)(const struct rule *, int))
{
	uint16_t high = rte_cpu_to_be_16((uint16_t)of(rule, from));

	memcpy(to, &high, sizeof(high));
	put_words(to + 2, rule, from + 1, 1, of);
}

static void add_ethernet(struct description *all, const struct rule *rule)
{
	put_mac(all->eth.src.addr_bytes, rule, KEY_SRC_MAC, value);
	put_mac(all->eth_mask.src.addr_bytes, rule, KEY_SRC_MAC, mask);
	put_mac(all->eth.dst.addr_bytes, rule, KEY_DST_MAC, value);
	put_mac(all->eth_mask.dst.addr_bytes, rule, KEY_DST_MAC, mask);
	all->eth.type = rte_cpu_to_be_16((uint16_t)value(rule, KEY_TYPE));
	all->eth_mask.type = rte_cpu_to_be_16((uint16_t)mask(rule, KEY_TYPE));
	add_item(all, RTE_FLOW_ITEM_TYPE_ETH, &all->eth, NULL, &all->eth_mask);
	if (mask(rule, KEY_VLAN) == 0)
		return;
	all->vlan.tci = rte_cpu_to_be_16((uint16_t)value(rule, KEY_VLAN));
	all->vlan_mask.tci = RTE_BE16(0x0fff);
	add_item(all, RTE_FLOW_ITEM_TYPE_VLAN, &all->vlan, NULL, &all->vlan_mask);
}

static void add_network(struct description *all, const struct rule *rule)
{
	bool is_last = mask(rule, KEY_PROTOCOL) == 0;

	if (value(rule, KEY_VERSION) == 4) {
		put_words(&all->v4.hdr.src_addr, rule, KEY_SRC + 3, 1, value);
		put_words(&all->v4_mask.hdr.src_addr, rule, KEY_SRC + 3, 1, mask);
		put_words(&all->v4.hdr.dst_addr, rule, KEY_DST + 3, 1, value);
		put_words(&all->v4_mask.hdr.dst_addr, rule, KEY_DST + 3, 1, mask);
		all->v4.hdr.next_proto_id = is_last ? 0 : (uint8_t)value(rule, KEY_PROTOCOL);
		all->v4_mask.hdr.next_proto_id = is_last ? 0 : 0xff;
		add_item(all, RTE_FLOW_ITEM_TYPE_IPV4, &all->v4, NULL, &all->v4_mask);
	} else if (value(rule, KEY_VERSION) == 6) {
		put_words(all->v6.hdr.src_addr, rule, KEY_SRC, 4, value);
		put_words(all->v6_mask.hdr.src_addr, rule, KEY_SRC, 4, mask);
		put_words(all->v6.hdr.dst_addr, rule, KEY_DST, 4, value);
		put_words(all->v6_mask.hdr.dst_addr, rule, KEY_DST, 4, mask);
		all->v6.hdr.proto = is_last ? 0 : (uint8_t)value(rule, KEY_PROTOCOL);
		all->v6_mask.hdr.proto = is_last ? 0 : 0xff;
		add_item(all, RTE_FLOW_ITEM_TYPE_IPV6, &all->v6, NULL, &all->v6_mask);
	}
}

/* A range of ports as first, last and mask; any port has no mask. */
static void put_range(const int32_t *range, rte_be16_t *first, rte_be16_t *last, rte_be16_t *mask_of)
{
	if (range[0] < 0)
		return;
	*first = rte_cpu_to_be_16((uint16_t)range[0]);
	*last = rte_cpu_to_be_16((uint16_t)range[1]);
	*mask_of = RTE_BE16(0xffff);
}

static void add_transport(struct description *all, const struct rule *rule)
{
	const int32_t *ports = rule->words + RULE_PORTS;
	bool has_range = (ports[0] >= 0 && ports[0] != ports[1]) ||
			 (ports[2] >= 0 && ports[2] != ports[3]);

	if (value(rule, KEY_PROTOCOL) == 6) {
		put_range(ports, &all->ports.hdr.src_port, &all->ports_last.hdr.src_port,
			  &all->ports_mask.hdr.src_port);
		put_range(ports + 2, &all->ports.hdr.dst_port, &all->ports_last.hdr.dst_port,
			  &all->ports_mask.hdr.dst_port);
		add_item(all, RTE_FLOW_ITEM_TYPE_TCP, &all->ports,
			 has_range ? &all->ports_last : NULL, &all->ports_mask);
	} else if (value(rule, KEY_PROTOCOL) == 17) {
		put_range(ports, &all->udp.hdr.src_port, &all->udp_last.hdr.src_port,
			  &all->udp_mask.hdr.src_port);
		put_range(ports + 2, &all->udp.hdr.dst_port, &all->udp_last.hdr.dst_port,
			  &all->udp_mask.hdr.dst_port);
		add_item(all, RTE_FLOW_ITEM_TYPE_UDP, &all->udp, has_range ? &all->udp_last : NULL,
			 &all->udp_mask);
	}
}

static void add_action(struct description *all, enum rte_flow_action_type type, const void *conf)
{
	all->actions[all->action_count++] = (struct rte_flow_action){.type = type, .conf = conf};
}

static void add_actions(struct description *all, const struct rule *rule)
{
	if (rule->words[RULE_FATE] == FATE_DROP) {
		add_action(all, RTE_FLOW_ACTION_TYPE_COUNT, NULL);
		add_action(all, RTE_FLOW_ACTION_TYPE_DROP, NULL);
		return;
	}
	if (rule->words[RULE_MARK] != NO_MARK) {
		all->mark.id = (uint32_t)rule->words[RULE_MARK];
		add_action(all, RTE_FLOW_ACTION_TYPE_MARK, &all->mark);
	}
	if (rule->queue_count == 1) {
		all->queue.index = rule->queues[0];
		add_action(all, RTE_FLOW_ACTION_TYPE_QUEUE, &all->queue);
	} else if (rule->queue_count > 1) {
		for (int i = 0; i < rule->queue_count; i++)
			all->rss_queues[i] = rule->queues[i];
		all->rss.queue = all->rss_queues;
		all->rss.queue_num = rule->queue_count;
		add_action(all, RTE_FLOW_ACTION_TYPE_RSS, &all->rss);
	} else {
		add_action(all, RTE_FLOW_ACTION_TYPE_PASSTHRU, NULL);
	}
}

struct rte_flow *offer(uint16_t port, const struct rule *rule, uint32_t priority)
{
	struct rte_flow_attr attributes = {.ingress = 1, .priority = priority};
	struct description all = {0};
	struct rte_flow_error error;

	add_ethernet(&all, rule);
	add_network(&all, rule);
	add_transport(&all, rule);
	add_item(&all, RTE_FLOW_ITEM_TYPE_END, NULL, NULL, NULL);
	add_actions(&all, rule);
	add_action(&all, RTE_FLOW_ACTION_TYPE_END, NULL);
	if (rte_flow_validate(port, &attributes, all.items, all.actions, &error) != 0)
		return NULL;
	return rte_flow_create(port, &attributes, all.items, all.actions, &error);
}

void offer_withdraw(uint16_t port, struct rte_flow *flow)
{
	struct rte_flow_error error;

	rte_flow_destroy(port, flow, &error);
}

void offer_count(uint16_t port, struct rte_flow *flow, uint64_t *frames, uint64_t *bytes)
{
	struct rte_flow_query_count count = {0};
	struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_COUNT},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	struct rte_flow_error error;

	if (rte_flow_query(port, flow, actions, &count, &error) != 0)
		return;
	*frames += count.hits;
	*bytes += count.bytes;
}
