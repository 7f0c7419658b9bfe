/*
 * Configuring a device: what it can do of what we want, its queues, its memory.
 */
#include <errno.h>

#include <rte_ethdev.h>

#include "arena.h"
#include "descriptors.h"
#include "device.h"
#include "errors.h"
#include "guard.h"
#include "rss.h"

/* What configure() was asked for and what it settled on. */
struct setup {
	uint16_t port, rx_queues, tx_queues, rx_descriptors, tx_descriptors, mtu;
	bool tx_sums, rx_sums, segmentation, rss, interrupts, scatter, large;
	uint64_t rss_functions;
	/* The 16 bits that the key repeats, and the key. */
	uint16_t rss_key;
	uint8_t key[RSS_KEY_MAX];
	struct rte_eth_dev_info details;
	struct rte_eth_conf conf;
};

static void read_setup(napi_env env, napi_value options, struct setup *setup)
{
	setup->rx_queues = js_get_int(env, options, "rxQueues", 1);
	setup->tx_queues = js_get_int(env, options, "txQueues", 1);
	setup->rx_descriptors = js_get_int(env, options, "rxDescriptors", 512);
	setup->tx_descriptors = js_get_int(env, options, "txDescriptors", 512);
	setup->mtu = js_get_int(env, options, "mtu", 0);
	setup->tx_sums = js_get_bool(env, options, "hardwareChecksums", true);
	setup->rx_sums = setup->tx_sums;
	setup->segmentation = js_get_bool(env, options, "hardwareSegmentation", true);
	setup->rss = setup->rx_queues > 1;
	setup->rss_key = js_get_int(env, options, "rssKey", 0);
	setup->interrupts = js_get_bool(env, options, "interrupts", false);
	setup->scatter = js_get_bool(env, options, "scatter", false);
	setup->large = js_get_bool(env, options, "jumbo", false);
}

/* Asks for what the device can do of what we want; the rest the addon does itself. */
static void choose_offloads(struct setup *setup)
{
	const uint64_t tx = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			    RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	const uint64_t rx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
			    RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	struct rte_eth_conf *conf = &setup->conf;

	setup->tx_sums = setup->tx_sums && (setup->details.tx_offload_capa & tx) == tx;
	setup->rx_sums = setup->rx_sums && (setup->details.rx_offload_capa & rx) != 0;
	if (setup->tx_sums)
		conf->txmode.offloads |= tx;
	/* Large segments need their checksums made by the same hardware. */
	setup->segmentation = setup->segmentation && setup->tx_sums &&
			      (setup->details.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0;
	if (setup->segmentation)
		conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (setup->rx_sums)
		conf->rxmode.offloads |= rx & setup->details.rx_offload_capa;
	setup->rss_functions = setup->rss
		? rss_ask(&setup->details, setup->rss_key, setup->key, conf) : 0;
	setup->scatter = setup->scatter &&
			 (setup->details.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	if (setup->scatter)
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	/* Some devices send what is longer than their own buffers in several only then. */
	if (setup->large)
		conf->txmode.offloads |=
			RTE_ETH_TX_OFFLOAD_MULTI_SEGS & setup->details.tx_offload_capa;
	conf->intr_conf.rxq = setup->interrupts;
	if (setup->mtu != 0)
		conf->rxmode.mtu = setup->mtu;
}

/* The steps that may fail; returns the name of the one that did, NULL when all went well. */
static const char *apply_setup(struct setup *setup, struct arena *arena, const int64_t *pools,
			       int *error)
{
	struct rte_eth_rxconf rx = setup->details.default_rxconf;
	struct rte_eth_txconf tx = setup->details.default_txconf;
	int socket = rte_eth_dev_socket_id(setup->port);

	*error = rte_eth_dev_configure(setup->port, setup->rx_queues, setup->tx_queues,
				       &setup->conf);
	if (*error != 0)
		return "rte_eth_dev_configure";
	*error = rte_eth_dev_adjust_nb_rx_tx_desc(setup->port, &setup->rx_descriptors,
						  &setup->tx_descriptors);
	if (*error != 0)
		return "rte_eth_dev_adjust_nb_rx_tx_desc";
	if (setup->mtu != 0) {
		*error = rte_eth_dev_set_mtu(setup->port, setup->mtu);
		if (*error != 0 && *error != -ENOTSUP)
			return "rte_eth_dev_set_mtu";
	}
	rx.offloads = setup->conf.rxmode.offloads;
	tx.offloads = setup->conf.txmode.offloads;
	for (uint16_t q = 0; q < setup->rx_queues; q++) {
		*error = rte_eth_rx_queue_setup(setup->port, q, setup->rx_descriptors, socket, &rx,
						arena->pools[pools[q]].mempool);
		if (*error != 0)
			return "rte_eth_rx_queue_setup";
	}
	for (uint16_t q = 0; q < setup->tx_queues; q++) {
		*error = rte_eth_tx_queue_setup(setup->port, q, setup->tx_descriptors, socket, &tx);
		if (*error != 0)
			return "rte_eth_tx_queue_setup";
	}
	return NULL;
}

/* configure(port, { arena, rxPools: [pool of each queue], rxQueues, ... }) -> what was settled */
napi_value device_configure(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], list, result;
	struct setup setup = {0};
	struct descriptors descriptors;
	struct arena *arena;
	int64_t pools[RTE_MAX_QUEUES_PER_PORT];
	const char *failed;
	int error;

	if (!device_port(env, info, argv, &setup.port))
		return NULL;
	read_setup(env, argv[1], &setup);
	arena = arena_find(js_get_int(env, argv[1], "arena", -1));
	list = js_get(env, argv[1], "rxPools");
	if (arena == NULL || setup.rx_queues > RTE_MAX_QUEUES_PER_PORT)
		return throw_misuse(env, "EINVAL", "configure: no such arena, or too many queues");
	for (uint16_t q = 0; q < setup.rx_queues; q++) {
		pools[q] = js_to_int(env, js_element(env, list, q), -1);
		if (pools[q] < 0 || pools[q] >= arena->pool_count)
			return throw_misuse(env, "EINVAL", "configure: a queue has no pool");
	}
	error = rte_eth_dev_info_get(setup.port, &setup.details);
	if (error != 0)
		return throw_dpdk(env, "rte_eth_dev_info_get", error);
	choose_offloads(&setup);
	descriptors_note(&descriptors);
	guard_enter();
	failed = apply_setup(&setup, arena, pools, &error);
	guard_leave();
	descriptors_hide_new(&descriptors);
	if (failed != NULL)
		return throw_dpdk(env, failed, error);
	rte_eth_dev_get_mtu(setup.port, &setup.mtu);
	result = js_object(env);
	js_set_number(env, result, "rxDescriptors", setup.rx_descriptors);
	js_set_number(env, result, "txDescriptors", setup.tx_descriptors);
	js_set_number(env, result, "mtu", setup.mtu);
	js_set_bool(env, result, "txChecksums", setup.tx_sums);
	js_set_bool(env, result, "rxChecksums", setup.rx_sums);
	js_set_bool(env, result, "segmentation", setup.segmentation);
	js_set_bool(env, result, "scatter", setup.scatter);
	js_set(env, result, "rssFunctions", rss_names(env, setup.rss_functions));
	return result;
}
