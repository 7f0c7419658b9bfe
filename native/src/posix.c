/*
 * System calls of drivers and EAL, as they should have been made. tools/build-native.mjs renames
 * the references of the named archives (objcopy --redefine-sym); DPDK itself is not patched.
 *
 *   memif      socket, accept, eventfd, memfd_create, recvmsg: close-on-exec (a child of the
 *              program would keep the listening socket and so its name, a peer's connection open
 *              when we are gone, and the memory shared with peers long gone)
 *              connect: never waits (it waits for ever, and the main thread in it, when the
 *              server's backlog is full and nobody accepts)
 *   eal        epoll_create: close-on-exec (its interrupt thread makes it anew, at any time)
 *   af_packet  poll: never waits (its transmit waits for ever when the kernel's ring is full)
 *              sendto: never fails (its transmit would return "0 sent" for mbufs it has freed)
 */
/* accept4, memfd_create */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

int dpdk_net_socket(int domain, int type, int protocol);
int dpdk_net_accept(int fd, struct sockaddr *from, socklen_t *from_length);
int dpdk_net_eventfd(unsigned int count, int flags);
int dpdk_net_memfd_create(const char *name, unsigned int flags);
int dpdk_net_epoll_create(int size);
ssize_t dpdk_net_recvmsg(int fd, struct msghdr *message, int flags);
int dpdk_net_connect(int fd, const struct sockaddr *to, socklen_t to_length);
int dpdk_net_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t dpdk_net_sendto(int fd, const void *bytes, size_t length, int flags,
			const struct sockaddr *to, socklen_t to_length);

int dpdk_net_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int dpdk_net_accept(int fd, struct sockaddr *from, socklen_t *from_length)
{
	return accept4(fd, from, from_length, SOCK_CLOEXEC);
}

int dpdk_net_eventfd(unsigned int count, int flags)
{
	return eventfd(count, flags | EFD_CLOEXEC);
}

int dpdk_net_epoll_create(int size)
{
	(void)size;
	return epoll_create1(EPOLL_CLOEXEC);
}

int dpdk_net_memfd_create(const char *name, unsigned int flags)
{
	return memfd_create(name, flags | MFD_CLOEXEC);
}

ssize_t dpdk_net_recvmsg(int fd, struct msghdr *message, int flags)
{
	return recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC);
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
