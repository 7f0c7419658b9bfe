/*
 * Errors with their reason: DPDK's log is kept in memory and handed out with the exception.
 *
 * DPDK says why in its log and only how badly in the return code, so the log's last lines are
 * half of a good error message.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_log.h>

#include "errors.h"

#define LOG_BYTES 4096

/* A ring of the last bytes logged; any thread may log. */
static struct {
	pthread_mutex_t lock;
	char bytes[LOG_BYTES];
	size_t written;
	bool echo;
} captured = {.lock = PTHREAD_MUTEX_INITIALIZER};

static ssize_t capture_write(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	pthread_mutex_lock(&captured.lock);
	for (size_t i = 0; i < size; i++)
		captured.bytes[captured.written++ % LOG_BYTES] = bytes[i];
	bool echo = captured.echo;
	pthread_mutex_unlock(&captured.lock);
	if (echo)
		fwrite(bytes, 1, size, stderr);
	return (ssize_t)size;
}

void log_capture(void)
{
	static bool installed;
	cookie_io_functions_t functions = {.write = capture_write};
	FILE *stream;

	if (installed)
		return;
	stream = fopencookie(NULL, "w", functions);
	if (stream == NULL)
		return;
	setvbuf(stream, NULL, _IOLBF, 0);
	rte_openlog_stream(stream);
	installed = true;
}

void log_echo(bool on)
{
	pthread_mutex_lock(&captured.lock);
	captured.echo = on;
	pthread_mutex_unlock(&captured.lock);
}

void log_mark(void)
{
	pthread_mutex_lock(&captured.lock);
	captured.written = 0;
	pthread_mutex_unlock(&captured.lock);
}

napi_value log_text(napi_env env)
{
	char text[LOG_BYTES + 1];
	size_t length, from;
	napi_value value;

	pthread_mutex_lock(&captured.lock);
	length = captured.written < LOG_BYTES ? captured.written : LOG_BYTES;
	from = captured.written - length;
	for (size_t i = 0; i < length; i++)
		text[i] = captured.bytes[(from + i) % LOG_BYTES];
	pthread_mutex_unlock(&captured.lock);
	text[length] = '\0';
	napi_create_string_utf8(env, text, length, &value);
	return value;
}

static napi_value make_error(napi_env env, const char *code, const char *message)
{
	napi_value error;

	napi_create_error(env, js_text(env, code), js_text(env, message), &error);
	return error;
}

napi_value throw_dpdk(napi_env env, const char *operation, int error)
{
	int number = error < 0 ? -error : error;
	const char *code = strerrorname_np(number);
	const char *reason = rte_strerror(number);
	char message[512];
	napi_value exception;

	if (number == 0)
		reason = "no reason given";
	snprintf(message, sizeof(message), "%s: %s", operation, reason);
	exception = make_error(env, code != NULL ? code : "EDPDK", message);
	js_set_text(env, exception, "operation", operation);
	js_set_text(env, exception, "reason", reason);
	js_set(env, exception, "log", log_text(env));
	napi_throw(env, exception);
	return NULL;
}

napi_value throw_misuse(napi_env env, const char *code, const char *message)
{
	napi_throw(env, make_error(env, code, message));
	return NULL;
}
