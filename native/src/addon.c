/*
 * The addon's exports: one table. Types and documentation: src/dpdk/addon.ts.
 */
#include "arena.h"
#include "device.h"
#include "eal.h"
#include "queue.h"
#include "rss.h"
#include "rules.h"

static const struct {
	const char *name;
	napi_callback function;
} functions[] = {
	{"ealInit", eal_init},
	{"ealState", eal_state},
	{"ealCleanup", eal_cleanup},
	{"ealLog", eal_log},
	{"ealLogTake", eal_log_take},
	{"ealLogEcho", eal_log_echo},
	{"registerThread", eal_register_thread},
	{"unregisterThread", eal_unregister_thread},
	{"arenaCreate", arena_create},
	{"arenaWrap", arena_wrap},
	{"arenaUnwrap", arena_unwrap},
	{"arenaFree", arena_free},
	{"arenaWipe", arena_wipe},
	{"arenaUsage", arena_usage},
	{"deviceAttach", device_attach},
	{"deviceDetach", device_detach},
	{"deviceList", device_list},
	{"deviceInfo", device_info},
	{"configure", device_configure},
	{"rssWrite", rss_write},
	{"start", device_start},
	{"stop", device_stop},
	{"link", device_link},
	{"stats", device_stats},
	{"xstats", device_xstats},
	{"resetStats", device_reset_stats},
	{"promiscuous", device_promiscuous},
	{"allMulticast", device_all_multicast},
	{"setMtu", device_set_mtu},
	{"rxInterruptFd", device_interrupt_fd},
	{"rxInterruptEnable", device_interrupt_enable},
	{"ruleCreate", rule_create},
	{"ruleDestroy", rule_destroy},
	{"ruleCounters", rule_counters},
	{"queueOpen", queue_open},
	{"steeringOpen", steering_open},
	{"steeringClose", steering_close},
	{"queueReclaim", queue_reclaim},
	{"queueOnWake", queue_on_wake},
	{"queueSleep", queue_sleep},
	{"queueWake", queue_wake},
	{"queueClose", queue_close},
	{"queueCounters", queue_counters},
	{"exchange", queue_exchange},
};

NAPI_MODULE_INIT()
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		napi_value function;

		napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH,
				     functions[i].function, NULL, &function);
		js_set(env, exports, functions[i].name, function);
	}
	return exports;
}
