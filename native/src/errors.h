/*
 * How a DPDK failure becomes a JavaScript exception with its reason.
 */
#ifndef DPDK_NET_ERRORS_H
#define DPDK_NET_ERRORS_H

#include "js.h"

/* Sends DPDK's log to memory. Call once, before EAL starts. */
void log_capture(void);
/* Also writes DPDK's log to stderr, or stops doing so. */
void log_echo(bool on);
/* Forgets what was logged so far, so that the next exception tells only its own story. */
void log_mark(void);
/* What DPDK logged since the last mark, at most the last few kilobytes; a new JS string. */
napi_value log_text(napi_env env);
/* { text, lost }: the lines since the last time, each behind its level's digit; lines that did not fit. */
napi_value log_take(napi_env env);

/*
 * Throws an Error with `code` (the errno's name), `operation`, `reason` (DPDK's text for it) and
 * `log` (lines since the last mark). `error` is an errno, either sign. Returns NULL, so that a
 * function can `return throw_dpdk(...)`.
 */
napi_value throw_dpdk(napi_env env, const char *operation, int error);
/* Throws an Error with that code and message: misuse of the addon, not a failure of DPDK. */
napi_value throw_misuse(napi_env env, const char *code, const char *message);

#endif
