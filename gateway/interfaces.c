/* SPDX-License-Identifier: ISC */
/* The addresses of this host, watched. */
#include "gateway/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/address.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/wire.h"

#define SETTLE_MS   100 /* changes come in swarms */
#define ENTRY_MAX   (1 + 16)
#define ADDRESS_MAX (LINK_MESSAGE_MAX / ENTRY_MAX - 1)

struct interfaces {
	interfaces_fn *changed;
	void *arg;
	int fd;
	struct event news, settled;
	uint8_t *encoded;
	size_t len;
};

/* ---- reading them ---- */

static bool
take_address(const struct ifaddrs *entry, struct address *address)
{
	struct socket_address taken;
	socklen_t len;

	if (entry->ifa_addr == NULL)
		return false;
	len = entry->ifa_addr->sa_family == AF_INET6
		  ? sizeof(struct sockaddr_in6)
		  : sizeof(struct sockaddr_in);
	if (!socket_address_from(entry->ifa_addr, len, &taken))
		return false;
	*address = taken.address;
	return true;
}

static void
put_address(struct wire_writer *writer, const struct address *address)
{
	bool is_ipv4 = address->family == ADDRESS_IPV4;

	wire_put_u8(writer, is_ipv4 ? 4 : 6);
	wire_put_bytes(writer, address->bytes, is_ipv4 ? 4 : 16);
}

static uint32_t
count_addresses(const struct ifaddrs *list)
{
	struct address address;
	uint32_t count = 0;

	for (; list != NULL && count < ADDRESS_MAX; list = list->ifa_next)
		count += take_address(list, &address);
	return count;
}

static void
encode(const struct ifaddrs *list, uint8_t **data, size_t *len)
{
	uint32_t count = count_addresses(list);
	size_t size = sizeof(count) + count * ENTRY_MAX;
	struct wire_writer writer;
	struct address address;

	*data = must_alloc(1, size);
	wire_writer_init(&writer, *data, size);
	wire_put_u32(&writer, count);
	for (; list != NULL && count > 0; list = list->ifa_next) {
		if (take_address(list, &address)) {
			put_address(&writer, &address);
			count--;
		}
	}
	must(!writer.failed);
	*len = writer.len;
}

/* 1 if the addresses are others now, 0 if not, -errno. */
static int
read_addresses(struct interfaces *interfaces)
{
	struct ifaddrs *list;
	uint8_t *data;
	size_t len;

	if (getifaddrs(&list) < 0)
		return -errno;
	encode(list, &data, &len);
	freeifaddrs(list);
	if (interfaces->encoded != NULL && len == interfaces->len &&
	    memcmp(data, interfaces->encoded, len) == 0) {
		free(data);
		return 0;
	}
	free(interfaces->encoded);
	interfaces->encoded = data;
	interfaces->len = len;
	return 1;
}

/* ---- watching them ---- */

static void
on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct interfaces *interfaces = arg;
	int status = read_addresses(interfaces);

	(void)fd;
	(void)what;
	if (status < 0)
		log_error(NULL, "the host's addresses cannot be read: %s",
		    strerror(-status));
	else if (status > 0)
		interfaces->changed(interfaces->arg);
}

/* What the news say does not matter (ENOBUFS: that some were lost); all is
 * read again. */
static void
on_news(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval pause = {.tv_usec = SETTLE_MS * 1000};
	struct interfaces *interfaces = arg;
	uint8_t dropped[8192];

	(void)what;
	while (recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT) > 0)
		continue;
	if (!evtimer_pending(&interfaces->settled, NULL))
		(void)evtimer_add(&interfaces->settled, &pause);
}

static int
open_watch(void)
{
	const struct sockaddr_nl groups = {
	    .nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 &&
	    bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

struct interfaces *
interfaces_new(struct event_base *base, interfaces_fn *changed, void *arg)
{
	struct interfaces *interfaces = must_alloc(1, sizeof(*interfaces));
	int status;

	interfaces->changed = changed;
	interfaces->arg = arg;
	must(evtimer_assign(
		 &interfaces->settled, base, on_settled, interfaces) == 0);
	/* Watched first, then read: no change slips between. */
	interfaces->fd = open_watch();
	status = interfaces->fd < 0 ? -errno : read_addresses(interfaces);
	if (status < 0) {
		if (interfaces->fd >= 0)
			(void)close(interfaces->fd);
		free(interfaces);
		errno = -status;
		return NULL;
	}
	must(event_assign(&interfaces->news, base, interfaces->fd,
		 EV_READ | EV_PERSIST, on_news, interfaces) == 0);
	(void)event_add(&interfaces->news, NULL);
	return interfaces;
}

void
interfaces_free(struct interfaces *interfaces)
{
	if (interfaces == NULL)
		return;
	(void)event_del(&interfaces->news);
	(void)evtimer_del(&interfaces->settled);
	(void)close(interfaces->fd);
	free(interfaces->encoded);
	free(interfaces);
}

const uint8_t *
interfaces_encoded(const struct interfaces *interfaces, size_t *len)
{
	*len = interfaces->len;
	return interfaces->encoded;
}
