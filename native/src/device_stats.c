/*
 * What a device counts: DPDK's own counters, and those of its driver.
 */
#include <rte_ethdev.h>

#include "device.h"
#include "errors.h"
#include "guard.h"

/* stats(port) -> the device's own counters, DPDK's names in camel case */
napi_value device_stats(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	struct rte_eth_stats stats = {0};
	uint16_t port;
	int error;

	if (!device_port(env, info, argv, &port))
		return NULL;
	error = rte_eth_stats_get(port, &stats);
	if (error != 0)
		return throw_dpdk(env, "rte_eth_stats_get", error);
	result = js_object(env);
	js_set_number(env, result, "rxPackets", stats.ipackets);
	js_set_number(env, result, "txPackets", stats.opackets);
	js_set_number(env, result, "rxBytes", stats.ibytes);
	js_set_number(env, result, "txBytes", stats.obytes);
	js_set_number(env, result, "rxMissed", stats.imissed);
	js_set_number(env, result, "rxErrors", stats.ierrors);
	js_set_number(env, result, "txErrors", stats.oerrors);
	js_set_number(env, result, "rxNoBuffer", stats.rx_nombuf);
	return result;
}

#define XSTATS_MAX 512

/* xstats(port) -> the driver's extended counters by their own names */
napi_value device_xstats(napi_env env, napi_callback_info info)
{
	static struct rte_eth_xstat_name names[XSTATS_MAX];
	static struct rte_eth_xstat values[XSTATS_MAX];
	napi_value argv[MAX_ARGUMENTS], result;
	uint16_t port;
	int count;

	if (!device_port(env, info, argv, &port))
		return NULL;
	result = js_object(env);
	/* The guard also keeps two workers from sharing the tables. */
	guard_enter();
	count = rte_eth_xstats_get_names(port, names, XSTATS_MAX);
	if (count > XSTATS_MAX || rte_eth_xstats_get(port, values, XSTATS_MAX) != count)
		count = 0;
	for (int i = 0; i < count; i++)
		js_set_number(env, result, names[values[i].id].name, values[i].value);
	guard_leave();
	return result;
}

napi_value device_reset_stats(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	uint16_t port;

	if (!device_port(env, info, argv, &port))
		return NULL;
	rte_eth_stats_reset(port);
	rte_eth_xstats_reset(port);
	return js_undefined(env);
}
