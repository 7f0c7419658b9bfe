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
#define NEWS_BYTES 16384

/* A ring of the last bytes logged; any thread may log. */
static struct {
	pthread_mutex_t lock;
	char bytes[LOG_BYTES];
	size_t written;
	bool echo;
} captured = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What nobody has taken yet: lines, each behind the digit of its level. What does not fit is lost. */
static struct {
	char bytes[NEWS_BYTES];
	size_t length;
	unsigned lost;
	bool in_line;
} news;

/* Under the lock. DPDK's own levels: 1 emergency ... 8 debug. */
static void news_add(const char *bytes, size_t size)
{
	int level = rte_log_cur_msg_loglevel();

	for (size_t i = 0; i < size; i++) {
		/* A level takes a byte too. */
		if (news.length + 2 > NEWS_BYTES) {
			news.lost += bytes[i] == '\n';
			continue;
		}
		if (!news.in_line)
			news.bytes[news.length++] = (char)('0' + (level >= 1 && level <= 8 ? level : 6));
		news.bytes[news.length++] = bytes[i];
		news.in_line = bytes[i] != '\n';
	}
}

static ssize_t capture_write(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	pthread_mutex_lock(&captured.lock);
	for (size_t i = 0; i < size; i++)
		captured.bytes[captured.written++ % LOG_BYTES] = bytes[i];
	news_add(bytes, size);
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

napi_value log_take(napi_env env)
{
	napi_value result = js_object(env), value;

	pthread_mutex_lock(&captured.lock);
	napi_create_string_utf8(env, news.bytes, news.length, &value);
	js_set_number(env, result, "lost", news.lost);
	news.length = 0;
	news.lost = 0;
	news.in_line = false;
	pthread_mutex_unlock(&captured.lock);
	js_set(env, result, "text", value);
	return result;
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
