/*
 * Matching rules, creating and destroying them.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "errors.h"
#include "guard.h"
#include "offer.h"
#include "queue.h"
#include "rules.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define TCP 6
#define UDP 17
#define FRAGMENT 44
#define HEADERS_MAX 8

/* What is compared: the words of a key as in layout.h, and the ports, -1 where there are none. */
struct key {
	uint32_t words[KEY_WORDS];
	int32_t src_port, dst_port;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rules *tables[RTE_MAX_ETHPORTS];
static int32_t last_id;

const struct rules *rules_of(uint16_t port)
{
	return port < RTE_MAX_ETHPORTS ? __atomic_load_n(&tables[port], __ATOMIC_ACQUIRE) : NULL;
}

static inline uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t read32(const uint8_t *at)
{
	return read16(at) << 16 | read16(at + 2);
}

static void read_ports(const uint8_t *transport, uint32_t length, struct key *key)
{
	uint32_t protocol = key->words[KEY_PROTOCOL];

	if ((protocol != TCP && protocol != UDP) || length < 4)
		return;
	key->src_port = (int32_t)read16(transport);
	key->dst_port = (int32_t)read16(transport + 2);
}

static void read_ipv4(const uint8_t *ip, uint32_t length, struct key *key)
{
	uint32_t header;

	if (length < 20 || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 15) * 4u;
	key->words[KEY_VERSION] = 4;
	key->words[KEY_PROTOCOL] = ip[9];
	key->words[KEY_SRC + 2] = key->words[KEY_DST + 2] = 0xffff;
	key->words[KEY_SRC + 3] = read32(ip + 12);
	key->words[KEY_DST + 3] = read32(ip + 16);
	if (header >= 20 && header <= length && (read16(ip + 6) & 0x1fff) == 0)
		read_ports(ip + header, length - header, key);
}

static bool is_extension(uint8_t header)
{
	return header == 0 || header == 43 || header == 60 || header == FRAGMENT;
}

static void read_ipv6(const uint8_t *ip, uint32_t length, struct key *key)
{
	uint32_t at = 40;
	uint8_t next;

	if (length < 40 || ip[0] >> 4 != 6)
		return;
	next = ip[6];
	for (int i = 0; i < HEADERS_MAX && is_extension(next) && length - at >= 8; i++) {
		uint32_t after = at + (next == FRAGMENT ? 8 : ip[at + 1] * 8u + 8);
		bool later = next == FRAGMENT && (read16(ip + at + 2) & 0xfff8) != 0;

		next = ip[at];
		at = later || after > length ? length : after;
	}
	key->words[KEY_VERSION] = 6;
	key->words[KEY_PROTOCOL] = next;
	for (int i = 0; i < 4; i++) {
		key->words[KEY_SRC + i] = read32(ip + 8 + 4 * i);
		key->words[KEY_DST + i] = read32(ip + 24 + 4 * i);
	}
	read_ports(ip + at, length - at, key);
}

static void read_key(const struct rte_mbuf *mbuf, struct key *key)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint32_t length = mbuf->data_len, at = 14, type;

	memset(key->words, 0, sizeof(key->words));
	key->src_port = key->dst_port = -1;
	if (length < at)
		return;
	key->words[KEY_DST_MAC] = read16(frame);
	key->words[KEY_DST_MAC + 1] = read32(frame + 2);
	key->words[KEY_SRC_MAC] = read16(frame + 6);
	key->words[KEY_SRC_MAC + 1] = read32(frame + 8);
	type = read16(frame + 12);
	key->words[KEY_VLAN] = (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0
		? mbuf->vlan_tci & 0xfffu : UINT32_MAX;
	while ((type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) && length >= at + 4) {
		key->words[KEY_VLAN] = read16(frame + at) & 0xfff;
		type = read16(frame + at + 2);
		at += 4;
	}
	key->words[KEY_TYPE] = type;
	if (type == ETHERTYPE_IPV4)
		read_ipv4(frame + at, length - at, key);
	else if (type == ETHERTYPE_IPV6)
		read_ipv6(frame + at, length - at, key);
}

static bool matches(const struct rule *rule, const struct key *key)
{
	const int32_t *ports = rule->words + RULE_PORTS;
	uint32_t differs = 0;

	for (int i = 0; i < KEY_WORDS; i++)
		differs |= (key->words[i] ^ (uint32_t)rule->words[RULE_VALUE + i]) &
			   (uint32_t)rule->words[RULE_MASK + i];
	return differs == 0 && key->src_port >= ports[0] && key->src_port <= ports[1] &&
	       key->dst_port >= ports[2] && key->dst_port <= ports[3];
}

static int apply(struct rule *rule, struct rte_mbuf *mbuf, uint32_t hash)
{
	/* Several queues may be here at once. */
	__atomic_fetch_add(&rule->frames, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&rule->bytes, mbuf->pkt_len, __ATOMIC_RELAXED);
	if (rule->words[RULE_FATE] == FATE_DROP)
		return RULES_DROP;
	if (rule->words[RULE_MARK] != NO_MARK) {
		mbuf->hash.fdir.hi = (uint32_t)rule->words[RULE_MARK];
		mbuf->ol_flags |= RTE_MBUF_F_RX_FDIR_ID;
	}
	return rule->queue_count == 0 ? RULES_NONE : rule->queues[hash % rule->queue_count];
}

int rules_match(const struct rules *rules, struct rte_mbuf *mbuf, uint32_t hash)
{
	struct key key;

	read_key(mbuf, &key);
	for (uint32_t i = 0; i < rules->count; i++)
		if (matches(rules->rule[i], &key))
			return apply(rules->rule[i], mbuf, hash);
	return RULES_NONE;
}

/*
 * Replaces a port's rules by those without `gone` and with `added` behind them, and waits until no
 * burst looks at the old ones. Called with the lock held; false: no memory.
 */
static bool replace(uint16_t port, const struct rule *gone, struct rule *added)
{
	struct rules *old = tables[port], *new;
	uint32_t count = old == NULL ? 0 : old->count;

	new = calloc(1, sizeof(*new) + (count + 1) * sizeof(new->rule[0]));
	if (new == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (old->rule[i] != gone)
			new->rule[new->count++] = old->rule[i];
	if (added != NULL)
		new->rule[new->count++] = added;
	if (new->count == 0) {
		free(new);
		new = NULL;
	}
	__atomic_store_n(&tables[port], new, __ATOMIC_SEQ_CST);
	queue_wait_port(port);
	free(old);
	return true;
}

/* Takes a rule out for good. Called with the lock held. */
static void retire(uint16_t port, struct rule *rule)
{
	if (!replace(port, rule, NULL))
		return;
	if (rule->offered != NULL)
		offer_withdraw(port, rule->offered);
	free(rule);
}

void rules_forget(uint16_t port)
{
	pthread_mutex_lock(&lock);
	while (tables[port] != NULL) {
		uint32_t before = tables[port]->count;

		retire(port, tables[port]->rule[0]);
		if (tables[port] != NULL && tables[port]->count == before)
			break;
	}
	pthread_mutex_unlock(&lock);
}

static void list_queues(struct rule *rule)
{
	rule->queue_count = 0;
	for (int queue = 0; queue < 128; queue++)
		if (((uint32_t)rule->words[RULE_QUEUES + queue / 32] >> queue % 32 & 1) != 0)
			rule->queues[rule->queue_count++] = (uint8_t)queue;
}

/* A rule of those words; NULL: no memory. */
static struct rule *make(napi_env env, napi_value words)
{
	struct rule *rule = calloc(1, sizeof(*rule));

	if (rule == NULL)
		return NULL;
	for (uint32_t i = 0; i < RULE_WORDS; i++)
		rule->words[i] = (int32_t)js_to_int(env, js_element(env, words, i), 0);
	list_queues(rule);
	return rule;
}

/* ruleCreate(port, words, offer) -> { id, hardware }: behind all others */
napi_value rule_create(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	int64_t port;
	uint32_t count;
	struct rule *rule;

	js_arguments(env, info, argv);
	port = js_to_int(env, argv[0], -1);
	if (port < 0 || port >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port(port))
		return throw_misuse(env, "ENODEV", "ruleCreate: no such port");
	pthread_mutex_lock(&lock);
	count = tables[port] == NULL ? 0 : tables[port]->count;
	rule = count == RULES_MAX ? NULL : make(env, argv[1]);
	if (rule != NULL) {
		rule->id = ++last_id;
		if (js_to_bool(env, argv[2], true)) {
			guard_enter();
			rule->offered = offer(port, rule, count);
			guard_leave();
		}
		if (!replace(port, NULL, rule)) {
			free(rule);
			rule = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
	if (rule == NULL)
		return throw_misuse(env, "ENOSPC", "ruleCreate: the port has 256 rules, or no memory");
	result = js_object(env);
	js_set_number(env, result, "id", rule->id);
	js_set_bool(env, result, "hardware", rule->offered != NULL);
	return result;
}

/* The rule that the first two arguments name, NULL: there is none. Called with the lock held. */
static struct rule *named(napi_env env, napi_value argv[MAX_ARGUMENTS], int64_t *port)
{
	int64_t id = js_to_int(env, argv[1], -1);
	const struct rules *rules;

	*port = js_to_int(env, argv[0], -1);
	rules = *port < 0 ? NULL : rules_of(*port);
	for (uint32_t i = 0; rules != NULL && i < rules->count; i++)
		if (rules->rule[i]->id == id)
			return rules->rule[i];
	return NULL;
}

/* ruleDestroy(port, id): idempotent */
napi_value rule_destroy(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct rule *rule;
	int64_t port;

	js_arguments(env, info, argv);
	pthread_mutex_lock(&lock);
	rule = named(env, argv, &port);
	if (rule != NULL)
		retire(port, rule);
	pthread_mutex_unlock(&lock);
	return js_undefined(env);
}

/* ruleCounters(port, id) -> { frames, bytes } that matched: those the device dropped, too */
napi_value rule_counters(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result = js_object(env);
	uint64_t frames = 0, bytes = 0;
	struct rule *rule;
	int64_t port;

	js_arguments(env, info, argv);
	pthread_mutex_lock(&lock);
	rule = named(env, argv, &port);
	if (rule != NULL) {
		if (rule->offered != NULL && rule->words[RULE_FATE] == FATE_DROP)
			offer_count(port, rule->offered, &frames, &bytes);
		frames += __atomic_load_n(&rule->frames, __ATOMIC_RELAXED);
		bytes += __atomic_load_n(&rule->bytes, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);
	js_set_number(env, result, "frames", (double)frames);
	js_set_number(env, result, "bytes", (double)bytes);
	return result;
}
