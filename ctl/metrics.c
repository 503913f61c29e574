/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-metrics: tells Prometheus how the gateway is.
 *
 * For each scrape it asks one question over the control socket, as somebody
 * who may ask and change nothing, and keeps nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/sandbox.h"
#include "base/sandbox_confine.h"
#include "ctl/client.h"
#include "ctl/exposition.h"

#include "config.h"

#define DEFAULT_LISTEN "127.0.0.1:9464"

#define CONNECTIONS_MAX 8
#define IDLE_S		10

static const struct option long_options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"socket", required_argument, NULL, 's'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

struct metrics {
	const char *socket; /* the gateway's */
	const char *listen;
};

/* ---- what is asked, and answered ---- */

static enum outcome
on_line(void *arg, const struct options *line)
{
	exposition_take(arg, line);
	return OUTCOME_OK;
}

static char *
ask(const struct metrics *metrics, size_t *len)
{
	struct exposition *exposition = exposition_new();
	struct options *question = options_new();
	enum outcome outcome;
	char *text;

	options_add(question, "command", "metrics");
	outcome =
	    client_ask(metrics->socket, question, on_line, NULL, exposition);
	options_free(question);
	text = exposition_print(exposition, outcome == OUTCOME_OK, len);
	exposition_free(exposition);
	return text;
}

static enum MHD_Result
reply(struct MHD_Connection *connection, unsigned status, char *text,
    size_t len, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(len, text, mode);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONTENT_TYPE, EXPOSITION_TYPE);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **state)
{
	static char no_such[] = "/metrics is all there is\n";
	static char no_way[] = "GET is all there is\n";
	size_t len;
	char *text;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, no_way,
		    strlen(no_way), MHD_RESPMEM_PERSISTENT);
	if (strcmp(path, "/metrics") != 0)
		return reply(connection, MHD_HTTP_NOT_FOUND, no_such,
		    strlen(no_such), MHD_RESPMEM_PERSISTENT);
	text = ask(arg, &len);
	return reply(connection, MHD_HTTP_OK, text, len, MHD_RESPMEM_MUST_FREE);
}

/* ---- the socket ---- */

static int
listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat status;

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* What an earlier one has left, and nothing else. */
	if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	/* Who is in its group may ask, too. */
	(void)umask(0007);
	if (fd < 0 || (unlink(path) < 0 && errno != ENOENT) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, CONNECTIONS_MAX) < 0)
		return -1;
	return fd;
}

static int
listen_tcp(const char *text)
{
	const int on = 1;
	struct socket_address address;
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	if (!socket_address_parse(text, &address)) {
		errno = EINVAL;
		return -1;
	}
	len = socket_address_to(&address, &to);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, len) < 0 ||
	    listen(fd, CONNECTIONS_MAX) < 0)
		return -1;
	return fd;
}

/* ---- the whole ---- */

static int
usage(void)
{
	(void)fputs("usage: gatewarden-metrics [--socket path] "
		    "[--listen address:port | unix:path]\n"
		    "       gatewarden-metrics --version\n",
	    stderr);
	return EX_USAGE;
}

/* It writes nowhere but where its socket is, to take that away. */
static void
give_up_rights(const char *path)
{
	char *copy = path == NULL ? NULL : must_strdup(path);
	int status = sandbox_confine(SANDBOX_NETWORK | SANDBOX_THREADS,
	    copy == NULL ? NULL : dirname(copy));

	if (status < 0)
		die("sandbox: %s", strerror(-status));
	free(copy);
}

static int
serve(struct metrics *metrics)
{
	const char *path = strncmp(metrics->listen, "unix:", 5) == 0
			       ? metrics->listen + 5
			       : NULL;
	int fd = path != NULL ? listen_unix(path) : listen_tcp(metrics->listen);
	struct MHD_Daemon *daemon;
	sigset_t ends;
	int number;

	if (fd < 0) {
		log_error(NULL, "cannot listen on %s: %s", metrics->listen,
		    strerror(errno));
		return EX_UNAVAILABLE;
	}
	give_up_rights(path);
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
	    NULL, on_request, metrics, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
	if (daemon == NULL) {
		log_error(NULL, "cannot serve on %s", metrics->listen);
		return EX_UNAVAILABLE;
	}
	log_info(NULL, "/metrics is served on %s", metrics->listen);
	(void)sigwait(&ends, &number);
	MHD_stop_daemon(daemon);
	if (path != NULL)
		(void)unlink(path);
	return EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
	struct metrics metrics = {CLIENT_SOCKET, DEFAULT_LISTEN};
	int option, status;

	while (
	    (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'l':
			metrics.listen = optarg;
			break;
		case 's':
			metrics.socket = optarg;
			break;
		case 'v':
			(void)printf(
			    "gatewarden-metrics %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return usage();
		}
	}
	if (optind != argc)
		return usage();
	log_init("gatewarden-metrics", LOG_LEVEL_INFO);
	status = sandbox_enter(false);
	if (status < 0)
		die("sandbox: %s", strerror(-status));
	return serve(&metrics);
}
