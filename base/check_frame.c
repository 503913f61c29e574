/* SPDX-License-Identifier: ISC */
/* The frame of a program that `gatewarden --check` runs. */
#include "base/check_frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/control.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/sandbox.h"
#include "base/sandbox_confine.h"
#include "base/secret.h"
#include "base/wire.h"
#include "base/write_whole.h"

#include "config.h"

#define ORDERS_MAX (1024 * 1024)

/* ---- in the master ---- */

int
check_frame_orders(const struct options *options, const struct secret *secret)
{
	int fd = memfd_create("orders", MFD_CLOEXEC);
	uint8_t head[sizeof(uint32_t)], *data;
	struct wire_writer writer;
	bool was_good;
	size_t len;

	if (fd < 0)
		return -1;
	options_encode(options, &data, &len);
	must(len < ORDERS_MAX);
	wire_writer_init(&writer, head, sizeof(head));
	wire_put_u32(&writer, (uint32_t)len);
	was_good = write_whole(fd, head, sizeof(head)) == 0 &&
		   write_whole(fd, data, len) == 0 &&
		   (secret == NULL ||
		       write_whole(fd, secret->data, secret->len) == 0) &&
		   lseek(fd, 0, SEEK_SET) == 0;
	free(data);
	if (was_good)
		return fd;
	(void)close(fd);
	return -1;
}

/* ---- in the program ---- */

/* A file that nobody can name: only the master makes one. */
static bool
has_orders(void)
{
	struct stat status;

	return fstat(CONTROL_FD, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_nlink == 0;
}

static void
give_up_rights(const struct options *options)
{
	int status = sandbox_enter(false);

	if (status == 0 && options_get_bool(options, "gateway.sandbox", true))
		status = sandbox_confine(SANDBOX_NETWORK, NULL);
	if (status < 0)
		die("sandbox: %s", strerror(-status));
}

/* Borrows from `orders`, but for the secret. */
static struct options *
read_orders(const struct secret *orders, struct secret **secret)
{
	struct wire_reader reader;
	struct options *options;
	const uint8_t *data;
	size_t len;

	wire_reader_init(&reader, orders->data, orders->len);
	data = wire_get_counted(&reader, &len);
	options = data == NULL ? NULL : options_decode(data, len);
	len = wire_remaining(&reader);
	*secret = NULL;
	if (options != NULL && len > 0)
		*secret = secret_new(wire_get_bytes(&reader, len), len);
	return options;
}

void
check_frame_run(int argc, char *argv[],
    void (*look)(struct findings *findings, const struct options *options,
	struct secret *secret))
{
	struct findings findings = {.out = stdout};
	struct options *options;
	struct secret *orders, *secret;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", getprogname(), PACKAGE_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (!has_orders()) {
		(void)fprintf(stderr,
		    "%s: started by gatewarden --check, not by hand\n",
		    getprogname());
		exit(EX_USAGE);
	}
	orders = secret_read_all(CONTROL_FD, ORDERS_MAX);
	if (orders == NULL)
		die("its orders: %s", strerror(errno));
	(void)close(CONTROL_FD);
	options = read_orders(orders, &secret);
	secret_free(orders);
	if (options == NULL)
		die("its orders are no orders");
	give_up_rights(options);
	look(&findings, options, secret);
	options_free(options);
	if (fflush(stdout) != 0)
		die("its findings: %s", strerror(errno));
	exit(findings_status(&findings));
}
