/*
 * The environment abstraction layer: starts once per process, and knows its threads.
 */
#ifndef DPDK_NET_EAL_H
#define DPDK_NET_EAL_H

#include "js.h"

napi_value eal_init(napi_env env, napi_callback_info info);
napi_value eal_state(napi_env env, napi_callback_info info);
napi_value eal_cleanup(napi_env env, napi_callback_info info);
napi_value eal_log(napi_env env, napi_callback_info info);
napi_value eal_log_take(napi_env env, napi_callback_info info);
napi_value eal_log_echo(napi_env env, napi_callback_info info);
napi_value eal_register_thread(napi_env env, napi_callback_info info);
napi_value eal_unregister_thread(napi_env env, napi_callback_info info);

#endif
