/*
 * Starting and stopping EAL inside a JavaScript runtime.
 *
 * EAL may start once per process and pins the thread that starts it; a runtime's main thread
 * must not stay pinned, so its affinity is put back.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "arena.h"
#include "descriptors.h"
#include "eal.h"
#include "errors.h"

#define ARGUMENT_BYTES 1024

enum state { STATE_NEVER, STATE_RUNNING, STATE_FAILED, STATE_STOPPED };

static const char *const state_names[] = {"never", "running", "failed", "stopped"};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum state state = STATE_NEVER;

/* EAL keeps pointers into argv, so it is never freed; it is made once. */
static char **make_argv(napi_env env, napi_value list, int *argc)
{
	uint32_t count = js_array_length(env, list);
	char **argv = calloc(count + 2, sizeof(*argv));
	char text[ARGUMENT_BYTES];

	if (argv == NULL)
		return NULL;
	argv[0] = strdup("dpdk-net");
	for (uint32_t i = 0; i < count; i++) {
		js_to_text(env, js_element(env, list, i), text, sizeof(text));
		argv[i + 1] = strdup(text);
	}
	*argc = (int)count + 1;
	return argv;
}

/* ealInit(arguments): starts EAL. A second call, also after a failure, is EALREADY. */
napi_value eal_init(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct descriptors descriptors;
	cpu_set_t affinity;
	bool restore;
	char **arguments;
	int argc = 0, result;

	js_arguments(env, info, argv);
	pthread_mutex_lock(&lock);
	if (state != STATE_NEVER) {
		pthread_mutex_unlock(&lock);
		return throw_misuse(env, "EALREADY", "EAL was started in this process before");
	}
	log_capture();
	log_mark();
	arguments = make_argv(env, argv[0], &argc);
	restore = pthread_getaffinity_np(pthread_self(), sizeof(affinity), &affinity) == 0;
	descriptors_note(&descriptors);
	result = arguments == NULL ? -1 : rte_eal_init(argc, arguments);
	descriptors_hide_new(&descriptors);
	if (restore)
		pthread_setaffinity_np(pthread_self(), sizeof(affinity), &affinity);
	state = result < 0 ? STATE_FAILED : STATE_RUNNING;
	pthread_mutex_unlock(&lock);
	if (result < 0)
		return throw_dpdk(env, "rte_eal_init", rte_errno);
	/* Empty in in-memory mode, and EAL leaves it behind; not empty otherwise, then it stays. */
	rmdir(rte_eal_get_runtime_dir());
	return js_undefined(env);
}

/* ealState() -> { state, version, hugepages, virtualAddresses } */
napi_value eal_state(napi_env env, napi_callback_info info)
{
	napi_value result = js_object(env);

	(void)info;
	js_set_text(env, result, "state", state_names[state]);
	js_set_text(env, result, "version", rte_version());
	if (state == STATE_RUNNING) {
		js_set_bool(env, result, "hugepages", rte_eal_has_hugepages());
		js_set_bool(env, result, "virtualAddresses", rte_eal_iova_mode() == RTE_IOVA_VA);
	}
	return result;
}

/*
 * ealCleanup(): ends EAL for this process; its devices must be detached before. EAL's memory
 * stays mapped until the process exits: rte_eal_cleanup would unmap it under EAL's interrupt
 * thread, which goes on reading it (seen: a crash at exit of a memif server), and under
 * ArrayBuffers that other workers still have.
 */
napi_value eal_cleanup(napi_env env, napi_callback_info info)
{
	(void)info;
	pthread_mutex_lock(&lock);
	if (state == STATE_RUNNING) {
		rmdir(rte_eal_get_runtime_dir());
		state = STATE_STOPPED;
	}
	pthread_mutex_unlock(&lock);
	return js_undefined(env);
}

/* ealLog() -> what DPDK logged since the last failing or control call */
napi_value eal_log(napi_env env, napi_callback_info info)
{
	(void)info;
	return log_text(env);
}

/* ealLogTake() -> { text, lost }: what DPDK logged since it was last taken */
napi_value eal_log_take(napi_env env, napi_callback_info info)
{
	(void)info;
	return log_take(env);
}

/* ealLogEcho(on): DPDK's log to stderr too */
napi_value eal_log_echo(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];

	js_arguments(env, info, argv);
	log_echo(js_to_bool(env, argv[0], false));
	return js_undefined(env);
}

/* Where the thread ran before it was pinned, and whether it was. */
static __thread cpu_set_t unpinned;
static __thread bool is_pinned;

static void leaving(void *argument)
{
	(void)argument;
	if (rte_lcore_id() == LCORE_ID_ANY || rte_lcore_id() == rte_get_main_lcore())
		return;
	arena_flush_caches();
	rte_thread_unregister();
	if (is_pinned)
		pthread_setaffinity_np(pthread_self(), sizeof(unpinned), &unpinned);
	is_pinned = false;
}

static int pin(int64_t cpu)
{
	cpu_set_t only;

	if (cpu >= CPU_SETSIZE)
		return EINVAL;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	pthread_getaffinity_np(pthread_self(), sizeof(unpinned), &unpinned);
	return pthread_setaffinity_np(pthread_self(), sizeof(only), &only);
}

/*
 * registerThread({ cpu }) -> { lcore, socket, cpu }: the worker is an lcore from now on, with its
 * own cache in every pool, pinned to the processor unless that is -1. Given back by
 * unregisterThread() or when the worker ends. The main lcore stays what it is, and unpinned.
 */
napi_value eal_register_thread(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	int64_t cpu;
	int error;

	js_arguments(env, info, argv);
	cpu = js_get_int(env, argv[0], "cpu", -1);
	log_mark();
	if (state != STATE_RUNNING)
		return throw_misuse(env, "EINVAL", "registerThread: EAL does not run");
	if (rte_lcore_id() == LCORE_ID_ANY) {
		/* First: EAL takes the thread's NUMA node from the processors it may use. */
		error = cpu < 0 ? 0 : pin(cpu);
		if (error != 0)
			return throw_dpdk(env, "pthread_setaffinity_np", error);
		is_pinned = cpu >= 0;
		if (rte_thread_register() != 0)
			return throw_dpdk(env, "rte_thread_register", rte_errno);
		napi_add_env_cleanup_hook(env, leaving, NULL);
	}
	result = js_object(env);
	js_set_number(env, result, "lcore", rte_lcore_id());
	js_set_number(env, result, "socket", (int)rte_socket_id());
	js_set_number(env, result, "cpu", is_pinned ? sched_getcpu() : -1);
	return result;
}

napi_value eal_unregister_thread(napi_env env, napi_callback_info info)
{
	(void)info;
	if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore()) {
		leaving(NULL);
		napi_remove_env_cleanup_hook(env, leaving, NULL);
	}
	return js_undefined(env);
}
