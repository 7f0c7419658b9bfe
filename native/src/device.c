/*
 * Devices: attach, describe, start, stop, count. Everything here is control, nothing is per
 * packet; all that could change a driver under a burst of another thread runs in the guard.
 */
#include <errno.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "arena.h"
#include "descriptors.h"
#include "device.h"
#include "errors.h"
#include "guard.h"
#include "queue.h"
#include "rss.h"
#include "rules.h"
#include "tap.h"

#define DEVARGS_BYTES 1024

bool device_port(napi_env env, napi_callback_info info, napi_value argv[MAX_ARGUMENTS],
		 uint16_t *port)
{
	int64_t number;

	js_arguments(env, info, argv);
	log_mark();
	number = js_to_int(env, argv[0], -1);
	if (number < 0 || number >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port(number)) {
		throw_misuse(env, "ENODEV", "no such port");
		return false;
	}
	*port = (uint16_t)number;
	return true;
}

static uint64_t valid_ports(void)
{
	uint64_t ports = 0;
	uint16_t port;

	RTE_ETH_FOREACH_DEV(port)
		if (port < 64)
			ports |= UINT64_C(1) << port;
	return ports;
}

/* deviceAttach('net_tap0,iface=x' or a PCI address) -> port */
napi_value device_attach(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	char devargs[DEVARGS_BYTES], name[RTE_DEV_NAME_MAX_LEN];
	struct descriptors descriptors;
	uint64_t before;
	uint16_t port;
	int result;

	js_arguments(env, info, argv);
	log_mark();
	js_to_text(env, argv[0], devargs, sizeof(devargs));
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(devargs, ","), devargs);
	/* Given to EAL with --vdev or --allow: it is there already. */
	if (rte_eth_dev_get_port_by_name(name, &port) == 0)
		return js_number(env, port);
	before = valid_ports();
	descriptors_note(&descriptors);
	guard_enter();
	result = rte_dev_probe(devargs);
	guard_leave();
	descriptors_hide_new(&descriptors);
	if (result < 0)
		return throw_dpdk(env, "rte_dev_probe", result == -1 ? rte_errno : result);
	if (rte_eth_dev_get_port_by_name(name, &port) == 0)
		return js_number(env, port);
	RTE_ETH_FOREACH_DEV(port)
		if (port < 64 && (before >> port & 1) == 0)
			return js_number(env, port);
	return throw_misuse(env, "ENODEV", "the device was found but is no network port");
}

/* deviceDetach(port): closes the port and removes its device; idempotent */
napi_value device_detach(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct rte_eth_dev_info details;
	int64_t port;

	js_arguments(env, info, argv);
	log_mark();
	port = js_to_int(env, argv[0], -1);
	if (port < 0 || port >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port(port))
		return js_undefined(env);
	rules_forget(port);
	guard_enter();
	queue_port_running(port, false);
	if (rte_eth_dev_info_get(port, &details) != 0)
		details.device = NULL;
	rte_eth_dev_stop(port);
	rte_eth_dev_close(port);
	if (details.device != NULL)
		rte_dev_remove(details.device);
	guard_leave();
	return js_undefined(env);
}

/* deviceList() -> [{ port, name }] */
napi_value device_list(napi_env env, napi_callback_info info)
{
	napi_value list = js_array(env);
	uint16_t port;

	(void)info;
	RTE_ETH_FOREACH_DEV(port) {
		napi_value item = js_object(env);
		char name[RTE_ETH_NAME_MAX_LEN];

		if (rte_eth_dev_get_name_by_port(port, name) != 0)
			continue;
		js_set_number(env, item, "port", port);
		js_set_text(env, item, "name", name);
		js_push(env, list, item);
	}
	return list;
}

/* The names of the bits that are set, as DPDK spells them. */
static napi_value bit_names(napi_env env, uint64_t bits, const char *(*name_of)(uint64_t))
{
	napi_value list = js_array(env);

	for (int bit = 0; bit < 64; bit++)
		if ((bits >> bit & 1) != 0)
			js_push(env, list, js_text(env, name_of(UINT64_C(1) << bit)));
	return list;
}

static napi_value mac_text(napi_env env, uint16_t port)
{
	struct rte_ether_addr mac = {0};
	char text[RTE_ETHER_ADDR_FMT_SIZE];

	rte_eth_macaddr_get(port, &mac);
	rte_ether_format_addr(text, sizeof(text), &mac);
	return js_text(env, text);
}

/* deviceInfo(port) -> what it is and what it can do */
napi_value device_info(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	struct rte_eth_dev_info details;
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t port, mtu = 0;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	error = rte_eth_dev_info_get(port, &details);
	if (error != 0)
		return throw_dpdk(env, "rte_eth_dev_info_get", error);
	rte_eth_dev_get_name_by_port(port, name);
	rte_eth_dev_get_mtu(port, &mtu);
	result = js_object(env);
	js_set_number(env, result, "port", port);
	js_set_text(env, result, "name", name);
	js_set_text(env, result, "driver", details.driver_name);
	js_set(env, result, "mac", mac_text(env, port));
	js_set_number(env, result, "socket", rte_eth_dev_socket_id(port));
	js_set_number(env, result, "mtu", mtu);
	js_set_number(env, result, "minMtu", details.min_mtu);
	js_set_number(env, result, "maxMtu", details.max_mtu);
	js_set_number(env, result, "maxRxQueues", details.max_rx_queues);
	js_set_number(env, result, "maxTxQueues", details.max_tx_queues);
	js_set_number(env, result, "rxDescriptors", details.default_rxportconf.ring_size);
	js_set_number(env, result, "txDescriptors", details.default_txportconf.ring_size);
	js_set(env, result, "rxOffloads", bit_names(env, details.rx_offload_capa,
						   rte_eth_dev_rx_offload_name));
	js_set(env, result, "txOffloads", bit_names(env, details.tx_offload_capa,
						   rte_eth_dev_tx_offload_name));
	js_set(env, result, "rssFunctions", rss_names(env, details.flow_type_rss_offloads));
	js_set_number(env, result, "rssTableSize", details.reta_size);
	js_set_number(env, result, "rssKeySize", details.hash_key_size);
	return result;
}

/* start(port); for memif this is also when a client connects */
napi_value device_start(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct descriptors descriptors;
	uint16_t port;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	descriptors_note(&descriptors);
	guard_enter();
	tap_starts(true);
	error = rte_eth_dev_start(port);
	tap_starts(false);
	queue_port_running(port, error == 0);
	guard_leave();
	descriptors_hide_new(&descriptors);
	if (error != 0)
		return throw_dpdk(env, "rte_eth_dev_start", error);
	return js_undefined(env);
}

napi_value device_stop(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	uint16_t port;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	guard_enter();
	queue_port_running(port, false);
	error = rte_eth_dev_stop(port);
	guard_leave();
	if (error != 0)
		return throw_dpdk(env, "rte_eth_dev_stop", error);
	return js_undefined(env);
}

/* link(port) -> { up, speed (Mbit/s, 0 unknown), fullDuplex } */
napi_value device_link(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	struct rte_eth_link link = {0};
	uint16_t port;

	if (!device_port(env, info, argv, &port))
		return NULL;
	guard_enter();
	rte_eth_link_get_nowait(port, &link);
	guard_leave();
	result = js_object(env);
	js_set_bool(env, result, "up", link.link_status == RTE_ETH_LINK_UP);
	js_set_number(env, result, "speed",
		      link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed);
	js_set_bool(env, result, "fullDuplex", link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX);
	return result;
}

/* promiscuous(port, on) -> whether it is on now; a device without the switch stays as it is */
napi_value device_promiscuous(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	uint16_t port;

	if (!device_port(env, info, argv, &port))
		return NULL;
	if (js_to_bool(env, argv[1], true))
		rte_eth_promiscuous_enable(port);
	else
		rte_eth_promiscuous_disable(port);
	napi_get_boolean(env, rte_eth_promiscuous_get(port) == 1, &result);
	return result;
}

/* allMulticast(port) -> whether it is on now; a device without the switch receives what it does */
napi_value device_all_multicast(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	uint16_t port;

	if (!device_port(env, info, argv, &port))
		return NULL;
	guard_enter();
	if (rte_eth_allmulticast_get(port) != 1)
		rte_eth_allmulticast_enable(port);
	guard_leave();
	napi_get_boolean(env, rte_eth_allmulticast_get(port) == 1, &result);
	return result;
}

/*
 * setMtu(port, mtu) -> the MTU now. A device that can not change it while it runs is stopped for
 * that: what waits stays, what arrives meanwhile is lost as on any link that goes down.
 */
napi_value device_set_mtu(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	uint16_t port, mtu;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	mtu = (uint16_t)js_to_int(env, argv[1], 0);
	guard_enter();
	error = rte_eth_dev_set_mtu(port, mtu);
	if (error == -EBUSY) {
		queue_port_running(port, false);
		queue_wait_port(port);
		error = rte_eth_dev_stop(port);
		if (error == 0)
			error = rte_eth_dev_set_mtu(port, mtu);
		queue_port_running(port, rte_eth_dev_start(port) == 0);
	}
	guard_leave();
	if (error != 0)
		return throw_dpdk(env, "rte_eth_dev_set_mtu", error);
	rte_eth_dev_get_mtu(port, &mtu);
	queue_port_mtu(port, mtu);
	return js_number(env, mtu);
}

/* rxInterruptFd(port, queue) -> a descriptor that polls readable when a frame came, or -1 */
napi_value device_interrupt_fd(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	uint16_t port;

	if (!device_port(env, info, argv, &port))
		return NULL;
	return js_number(env, rte_eth_dev_rx_intr_ctl_q_get_fd(port, js_to_int(env, argv[1], 0)));
}

/* rxInterruptEnable(port, queue, on) -> false when the driver has no switch (it may need none) */
napi_value device_interrupt_enable(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	uint16_t port, queue;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	queue = js_to_int(env, argv[1], 0);
	error = js_to_bool(env, argv[2], true) ? rte_eth_dev_rx_intr_enable(port, queue)
					       : rte_eth_dev_rx_intr_disable(port, queue);
	napi_get_boolean(env, error == 0, &result);
	return result;
}
