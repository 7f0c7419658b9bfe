/*
 * Sleepers are never freed: a producer may be about to ring one that is closed. They are used
 * again instead, and what is rung by mistake is a callback too many.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "errors.h"
#include "wake.h"

#define EVENTS_MAX 16
/* Which of a sleeper's two descriptors an event is of: the lowest bit of its data. */
#define IS_INTERRUPT 1

struct wake {
	struct wake *next;
	bool used;
	/* 1 from wake_sleep() until somebody rings, or the worker wakes by itself. */
	int asleep;
	/* An eventfd, for ever; the device's descriptor, -1: none. */
	int bell, interrupt;
	/* The interrupt is an eventfd, too, and must be read. */
	bool drain;
	/* NULL when the worker is gone. */
	napi_threadsafe_function callback;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wake *wakes;
static int epoll = -1;

void wake_up(struct wake *wake)
{
	if (__atomic_load_n(&wake->asleep, __ATOMIC_RELAXED) != 0)
		__atomic_store_n(&wake->asleep, 0, __ATOMIC_SEQ_CST);
}

void wake_ring(struct wake *wake)
{
	uint64_t one = 1;

	if (wake == NULL || __atomic_load_n(&wake->asleep, __ATOMIC_SEQ_CST) == 0 ||
	    __atomic_exchange_n(&wake->asleep, 0, __ATOMIC_SEQ_CST) == 0)
		return;
	if (write(wake->bell, &one, sizeof(one)) < 0) {
		/* It has been rung very often and not been looked at: it will be. */
	}
}

void wake_sleep(struct wake *wake)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLONESHOT,
		.data.u64 = (uintptr_t)wake | IS_INTERRUPT,
	};

	__atomic_store_n(&wake->asleep, 1, __ATOMIC_SEQ_CST);
	if (wake->interrupt >= 0)
		epoll_ctl(epoll, EPOLL_CTL_MOD, wake->interrupt, &event);
}

static void read_count(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0) {
		/* Nothing to read: somebody else did. */
	}
}

static void serve(uint64_t data)
{
	struct wake *wake = (struct wake *)(uintptr_t)(data & ~(uint64_t)IS_INTERRUPT);

	pthread_mutex_lock(&lock);
	if ((data & IS_INTERRUPT) == 0)
		read_count(wake->bell);
	else if (wake->drain && wake->interrupt >= 0)
		read_count(wake->interrupt);
	__atomic_store_n(&wake->asleep, 0, __ATOMIC_SEQ_CST);
	if (wake->used && wake->callback != NULL)
		napi_call_threadsafe_function(wake->callback, NULL, napi_tsfn_nonblocking);
	pthread_mutex_unlock(&lock);
}

static void *wait_for_all(void *argument)
{
	struct epoll_event events[EVENTS_MAX];

	(void)argument;
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++)
			serve(events[i].data.u64);
	}
	return NULL;
}

/* The thread that waits; it takes no signals. Called with the lock held. */
static bool start(void)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	if (epoll >= 0)
		return true;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, wait_for_all, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		pthread_detach(thread);
	return error == 0;
}

/* A closed sleeper to use again, or a new one with its bell. Called with the lock held. */
static struct wake *vacant(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct wake *wake = wakes;

	while (wake != NULL && (wake->used || wake->callback != NULL))
		wake = wake->next;
	if (wake != NULL)
		return wake;
	wake = calloc(1, sizeof(*wake));
	if (wake == NULL)
		return NULL;
	wake->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.u64 = (uintptr_t)wake;
	if (wake->bell < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake->bell, &event) != 0) {
		free(wake);
		return NULL;
	}
	wake->next = wakes;
	wakes = wake;
	return wake;
}

/* The worker ends, or the sleeper was closed. */
static void finalize(napi_env env, void *data, void *hint)
{
	struct wake *wake = data;

	(void)env;
	(void)hint;
	pthread_mutex_lock(&lock);
	wake->callback = NULL;
	pthread_mutex_unlock(&lock);
}

struct wake *wake_open(napi_env env, napi_value callback, int fd, bool drain)
{
	struct epoll_event event = {.events = 0};
	napi_value name = js_text(env, "dpdk-net wake");
	struct wake *wake;

	pthread_mutex_lock(&lock);
	wake = start() ? vacant() : NULL;
	if (wake == NULL || napi_create_threadsafe_function(env, callback, NULL, name, 1, 1, wake,
							    finalize, NULL, NULL,
							    &wake->callback) != napi_ok) {
		pthread_mutex_unlock(&lock);
		throw_misuse(env, "ENOMEM", "wakeOpen: no thread, descriptor or function");
		return NULL;
	}
	/* It keeps no program alive. */
	napi_unref_threadsafe_function(env, wake->callback);
	wake->used = true;
	wake->asleep = 0;
	wake->drain = drain;
	event.data.u64 = (uintptr_t)wake | IS_INTERRUPT;
	wake->interrupt = fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? fd : -1;
	pthread_mutex_unlock(&lock);
	return wake;
}

void wake_close(struct wake *wake)
{
	napi_threadsafe_function callback;

	pthread_mutex_lock(&lock);
	callback = wake->used ? wake->callback : NULL;
	wake->used = false;
	wake->asleep = 0;
	if (wake->interrupt >= 0)
		epoll_ctl(epoll, EPOLL_CTL_DEL, wake->interrupt, NULL);
	wake->interrupt = -1;
	pthread_mutex_unlock(&lock);
	if (callback != NULL)
		napi_release_threadsafe_function(callback, napi_tsfn_release);
}
