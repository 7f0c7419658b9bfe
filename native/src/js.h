/*
 * The few Node-API idioms the addon needs: reading options, building results, throwing.
 *
 * Readers of options never fail: what is missing or of another type is the default, because the
 * typed floor above (src/dpdk) has checked. Only Node-API is used, no V8: one binary for all.
 */
#ifndef DPDK_NET_JS_H
#define DPDK_NET_JS_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_ARGUMENTS 4

/* Fills argv with the call's arguments, undefined where there are fewer. */
void js_arguments(napi_env env, napi_callback_info info, napi_value argv[MAX_ARGUMENTS]);

int64_t js_to_int(napi_env env, napi_value value, int64_t otherwise);
bool js_to_bool(napi_env env, napi_value value, bool otherwise);
/* Copies a string, cut to fit; returns its length, or 0 when it is none. */
size_t js_to_text(napi_env env, napi_value value, char *text, size_t size);

napi_value js_get(napi_env env, napi_value object, const char *name);
int64_t js_get_int(napi_env env, napi_value object, const char *name, int64_t otherwise);
bool js_get_bool(napi_env env, napi_value object, const char *name, bool otherwise);
uint32_t js_array_length(napi_env env, napi_value array);
napi_value js_element(napi_env env, napi_value array, uint32_t index);

napi_value js_undefined(napi_env env);
napi_value js_number(napi_env env, double value);
napi_value js_text(napi_env env, const char *text);
napi_value js_object(napi_env env);
napi_value js_array(napi_env env);
void js_set(napi_env env, napi_value object, const char *name, napi_value value);
void js_set_number(napi_env env, napi_value object, const char *name, double value);
void js_set_bool(napi_env env, napi_value object, const char *name, bool value);
void js_set_text(napi_env env, napi_value object, const char *name, const char *text);
void js_push(napi_env env, napi_value array, napi_value value);

#endif
