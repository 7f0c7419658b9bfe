/*
 * Devices (DPDK calls them ports): finding, describing, configuring, counting.
 */
#ifndef DPDK_NET_DEVICE_H
#define DPDK_NET_DEVICE_H

#include "js.h"

/* The port of the first argument; throws and returns false when there is none. */
bool device_port(napi_env env, napi_callback_info info, napi_value argv[MAX_ARGUMENTS],
		 uint16_t *port);

napi_value device_attach(napi_env env, napi_callback_info info);
napi_value device_detach(napi_env env, napi_callback_info info);
napi_value device_list(napi_env env, napi_callback_info info);
napi_value device_info(napi_env env, napi_callback_info info);
napi_value device_configure(napi_env env, napi_callback_info info);
napi_value device_start(napi_env env, napi_callback_info info);
napi_value device_stop(napi_env env, napi_callback_info info);
napi_value device_link(napi_env env, napi_callback_info info);
napi_value device_stats(napi_env env, napi_callback_info info);
napi_value device_xstats(napi_env env, napi_callback_info info);
napi_value device_reset_stats(napi_env env, napi_callback_info info);
napi_value device_set_mtu(napi_env env, napi_callback_info info);
napi_value device_all_multicast(napi_env env, napi_callback_info info);
napi_value device_promiscuous(napi_env env, napi_callback_info info);
napi_value device_interrupt_fd(napi_env env, napi_callback_info info);
napi_value device_interrupt_enable(napi_env env, napi_callback_info info);

#endif
