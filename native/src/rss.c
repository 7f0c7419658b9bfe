/*
 * Devices differ in what they hash, in the length of the key and the size of the table, and some
 * have a key that nobody may change. Only one that took all of ours is said to have RSS: the
 * others spread frames as they like, which steering puts right.
 */
#include <string.h>

#include "compat.h"
#include "errors.h"
#include "rss.h"

#define ENTRIES_MAX RTE_ETH_RSS_RETA_SIZE_512

static const struct {
	uint64_t bit;
	const char *name;
} functions[] = {
	{RTE_ETH_RSS_IPV4, "ipv4"},
	{RTE_ETH_RSS_FRAG_IPV4, "ipv4-frag"},
	{RTE_ETH_RSS_NONFRAG_IPV4_TCP, "ipv4-tcp"},
	{RTE_ETH_RSS_NONFRAG_IPV4_UDP, "ipv4-udp"},
	{RTE_ETH_RSS_IPV6, "ipv6"},
	{RTE_ETH_RSS_FRAG_IPV6, "ipv6-frag"},
	{RTE_ETH_RSS_NONFRAG_IPV6_TCP, "ipv6-tcp"},
	{RTE_ETH_RSS_NONFRAG_IPV6_UDP, "ipv6-udp"},
};

napi_value rss_names(napi_env env, uint64_t bits)
{
	napi_value list = js_array(env);

	for (size_t i = 0; i < RTE_DIM(functions); i++)
		if ((bits & functions[i].bit) != 0)
			js_push(env, list, js_text(env, functions[i].name));
	return list;
}

uint64_t rss_ask(const struct rte_eth_dev_info *details, uint16_t repeated, uint8_t *key,
		 struct rte_eth_conf *conf)
{
	uint64_t functions = details->flow_type_rss_offloads & RSS_FUNCTIONS;

	if (functions == 0)
		return 0;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = functions;
	conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_RSS_HASH & details->rx_offload_capa;
	if (details->hash_key_size == 0 || details->hash_key_size > RSS_KEY_MAX)
		return functions;
	for (int i = 0; i < details->hash_key_size; i += 2) {
		key[i] = (uint8_t)(repeated >> 8);
		key[i + 1] = (uint8_t)repeated;
	}
	conf->rx_adv_conf.rss_conf.rss_key = key;
	conf->rx_adv_conf.rss_conf.rss_key_len = details->hash_key_size;
	return functions;
}

/* True when the device says that its key repeats the 16 bits. */
static bool has_key(uint16_t port, uint8_t length, uint16_t repeated)
{
	uint8_t key[RSS_KEY_MAX + 1] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = length};

	if (length < 2 || length > RSS_KEY_MAX ||
	    rte_eth_dev_rss_hash_conf_get(port, &conf) != 0)
		return false;
	for (int i = 0; i < length; i++)
		if (key[i] != (uint8_t)(i % 2 == 0 ? repeated >> 8 : repeated))
			return false;
	return true;
}

/*
 * rssWrite(port, key, table) -> true when the device has our key, and the table now. A table of
 * another size than ours has its entries again and again, or only the first ones.
 */
napi_value rss_write(napi_env env, napi_callback_info info)
{
	struct rte_eth_rss_reta_entry64 entries[ENTRIES_MAX / RTE_ETH_RETA_GROUP_SIZE];
	napi_value argv[MAX_ARGUMENTS], result;
	struct rte_eth_dev_info details;
	int64_t port;
	uint32_t count;
	bool written = false;

	js_arguments(env, info, argv);
	log_mark();
	port = js_to_int(env, argv[0], -1);
	count = js_array_length(env, argv[2]);
	if (port < 0 || port >= RTE_MAX_ETHPORTS || count == 0 ||
	    rte_eth_dev_info_get(port, &details) != 0)
		return throw_misuse(env, "ENODEV", "rssWrite: no such port, or no table");
	if (details.reta_size > 0 && details.reta_size <= ENTRIES_MAX) {
		memset(entries, 0, sizeof(entries));
		for (uint32_t i = 0; i < details.reta_size; i++) {
			struct rte_eth_rss_reta_entry64 *group = &entries[i / RTE_ETH_RETA_GROUP_SIZE];

			group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
			group->reta[i % RTE_ETH_RETA_GROUP_SIZE] =
				js_to_int(env, js_element(env, argv[2], i % count), 0);
		}
		written = rte_eth_dev_rss_reta_update(port, entries, details.reta_size) == 0 &&
			  has_key(port, details.hash_key_size, js_to_int(env, argv[1], 0));
	}
	napi_get_boolean(env, written, &result);
	return result;
}
