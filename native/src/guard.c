/*
 * The guard of guard.h, and the functions that drivers are linked against instead of DPDK's or
 * libc's own. tools/build-native.mjs renames the drivers' references (objcopy --redefine-sym),
 * so exactly the named driver is affected and DPDK itself is not patched.
 *
 *   memif      rte_intr_callback_register, _unregister, _unregister_pending: run under the guard
 *              close, rte_free: of what is still registered unregisters it first (the driver
 *              forgets it when a peer leaves while it is greeted, and for its listening socket:
 *              EAL's interrupt thread then panics, or calls back into freed memory)
 *              socket, accept: close-on-exec (a child of the program would keep the listening
 *              socket and so its name, and a peer's connection open when we are gone)
 *              connect: never waits (it waits for ever, and the main thread in it, when the
 *              server's backlog is full and nobody accepts)
 *   af_packet  poll: never waits (its transmit waits for ever when the kernel's ring is full)
 *              sendto: never fails (its transmit would return "0 sent" for mbufs it has freed)
 */
/* accept4 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>

#include "guard.h"
#include "queue.h"

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static int pending;

void guard_enter(void)
{
	pthread_mutex_lock(&control);
	__atomic_store_n(&pending, 1, __ATOMIC_SEQ_CST);
	while (queue_any_busy())
		sched_yield();
}

void guard_leave(void)
{
	__atomic_store_n(&pending, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&control);
}

bool guard_pending(void)
{
	return __atomic_load_n(&pending, __ATOMIC_SEQ_CST) != 0;
}

/* A driver's interrupt callback and what stands in for it. */
struct guarded {
	struct guarded *next;
	const struct rte_intr_handle *handle;
	int fd;
	rte_intr_callback_fn callback;
	rte_intr_unregister_callback_fn gone;
	void *argument;
	/* Unregistered while it waited to run: its argument may be freed soon, so it must not. */
	bool dead;
	/* Nobody else will close the descriptor. */
	bool close_too;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct guarded *list;

static void guarded_callback(void *argument)
{
	struct guarded *guarded = argument;

	guard_enter();
	if (!guarded->dead)
		guarded->callback(guarded->argument);
	guard_leave();
}

/*
 * Called by EAL once the callback does not run any more, with EAL's interrupt lock held: waiting
 * for the guard here could deadlock with a control call that registers. The driver only frees
 * its control channel here, which no burst uses.
 */
static void guarded_gone(struct rte_intr_handle *handle, void *argument)
{
	struct guarded *guarded = argument;

	if (guarded->gone != NULL)
		guarded->gone(handle, guarded->argument);
	if (guarded->close_too)
		close(guarded->fd);
	free(guarded);
}

static struct guarded *find(const struct rte_intr_handle *handle, rte_intr_callback_fn callback,
			    void *argument)
{
	struct guarded *guarded = list;

	while (guarded != NULL && (guarded->handle != handle || guarded->callback != callback ||
				   guarded->argument != argument))
		guarded = guarded->next;
	return guarded;
}

static void forget(struct guarded *guarded)
{
	struct guarded **link = &list;

	while (*link != guarded)
		link = &(*link)->next;
	*link = guarded->next;
}

int dpdk_net_intr_callback_register(const struct rte_intr_handle *handle,
				    rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister(const struct rte_intr_handle *handle,
				      rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					      rte_intr_callback_fn callback, void *argument,
					      rte_intr_unregister_callback_fn gone);
int dpdk_net_close(int fd);
void dpdk_net_free(void *memory);
int dpdk_net_socket(int domain, int type, int protocol);
int dpdk_net_accept(int fd, struct sockaddr *from, socklen_t *from_length);
int dpdk_net_connect(int fd, const struct sockaddr *to, socklen_t to_length);
int dpdk_net_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t dpdk_net_sendto(int fd, const void *bytes, size_t length, int flags,
			const struct sockaddr *to, socklen_t to_length);

int dpdk_net_intr_callback_register(const struct rte_intr_handle *handle,
				    rte_intr_callback_fn callback, void *argument)
{
	struct guarded *guarded = calloc(1, sizeof(*guarded));
	int result;

	if (guarded == NULL)
		return -ENOMEM;
	guarded->handle = handle;
	guarded->fd = rte_intr_fd_get(handle);
	guarded->callback = callback;
	guarded->argument = argument;
	pthread_mutex_lock(&list_lock);
	guarded->next = list;
	list = guarded;
	pthread_mutex_unlock(&list_lock);
	result = rte_intr_callback_register(handle, guarded_callback, guarded);
	if (result < 0) {
		pthread_mutex_lock(&list_lock);
		forget(guarded);
		pthread_mutex_unlock(&list_lock);
		free(guarded);
	}
	return result;
}

int dpdk_net_intr_callback_unregister(const struct rte_intr_handle *handle,
				      rte_intr_callback_fn callback, void *argument)
{
	struct guarded *guarded;
	int result = -ENOENT;

	pthread_mutex_lock(&list_lock);
	guarded = find(handle, callback, argument);
	if (guarded != NULL) {
		result = rte_intr_callback_unregister(handle, guarded_callback, guarded);
		if (result > 0) {
			forget(guarded);
			free(guarded);
		}
	}
	pthread_mutex_unlock(&list_lock);
	return result;
}

int dpdk_net_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					      rte_intr_callback_fn callback, void *argument,
					      rte_intr_unregister_callback_fn gone)
{
	struct guarded *guarded;
	int result = -ENOENT;

	pthread_mutex_lock(&list_lock);
	guarded = find(handle, callback, argument);
	if (guarded != NULL) {
		guarded->gone = gone;
		result = rte_intr_callback_unregister_pending(handle, guarded_callback, guarded,
							      guarded_gone);
		if (result > 0) {
			guarded->dead = true;
			forget(guarded);
		}
	}
	pthread_mutex_unlock(&list_lock);
	return result;
}

/*
 * Takes a registration back that the driver forgets, at once or when its callback has ended. The
 * driver may have freed its handle already, so a handle of our own names the descriptor.
 */
static void abandon(struct guarded *guarded, bool close_too)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int fd = guarded->fd;

	if (handle == NULL)
		return;
	rte_intr_fd_set(handle, fd);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT);
	guarded->close_too = close_too;
	if (rte_intr_callback_unregister(handle, guarded_callback, guarded) > 0) {
		forget(guarded);
		free(guarded);
		if (close_too)
			close(fd);
	} else if (rte_intr_callback_unregister_pending(handle, guarded_callback, guarded,
							guarded_gone) > 0) {
		guarded->dead = true;
		forget(guarded);
	}
	rte_intr_instance_free(handle);
}

int dpdk_net_close(int fd)
{
	struct guarded *guarded;

	pthread_mutex_lock(&list_lock);
	guarded = list;
	while (guarded != NULL && guarded->fd != fd)
		guarded = guarded->next;
	if (guarded != NULL)
		abandon(guarded, false);
	pthread_mutex_unlock(&list_lock);
	return close(fd);
}

void dpdk_net_free(void *memory)
{
	struct guarded *guarded;

	pthread_mutex_lock(&list_lock);
	guarded = memory == NULL ? NULL : list;
	while (guarded != NULL && guarded->argument != memory)
		guarded = guarded->next;
	if (guarded != NULL)
		abandon(guarded, true);
	pthread_mutex_unlock(&list_lock);
	rte_free(memory);
}

int dpdk_net_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int dpdk_net_accept(int fd, struct sockaddr *from, socklen_t *from_length)
{
	return accept4(fd, from, from_length, SOCK_CLOEXEC);
}

/*
 * A Unix socket connects at once or fails with EAGAIN, it is never "in progress". The driver
 * fails then as without a server, and the port tries again. Afterwards the descriptor blocks as
 * before: the driver does not expect EAGAIN of sendmsg and recvmsg.
 */
int dpdk_net_connect(int fd, const struct sockaddr *to, socklen_t to_length)
{
	int flags = fcntl(fd, F_GETFL);
	int result, error;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	result = connect(fd, to, to_length);
	error = errno;
	if (fcntl(fd, F_SETFL, flags) < 0)
		return -1;
	errno = error;
	return result;
}

int dpdk_net_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)timeout;
	return poll(fds, count, 0);
}

ssize_t dpdk_net_sendto(int fd, const void *bytes, size_t length, int flags,
			const struct sockaddr *to, socklen_t to_length)
{
	ssize_t sent = sendto(fd, bytes, length, flags, to, to_length);

	/* The frames lie in the kernel's ring already: it sends them with the next call, or drops
	 * them when the interface is down, as any interface does. */
	return sent < 0 ? 0 : sent;
}
