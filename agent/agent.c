/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-agent: the workstation's side.
 *
 * `gatewarden-agent connect HOST PORT` joins standard input and output to
 * HOST:PORT through the gateway, with nothing but a Kerberos ticket.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/dial.h"
#include "agent/handshake.h"
#include "agent/outcome.h"
#include "agent/pump.h"
#include "agent/stream.h"
#include "base/seal.h"
#include "base/text.h"

#include "config.h"

#define SERVICE_SIZE 64

struct settings {
	const char *gateway;
	enum protection protection;
	const char *service; /* SERVICE or SERVICE@HOST */
	const char *host, *port;
};

static enum outcome
usage(void)
{
	(void)fputs(
	    "usage: gatewarden-agent connect [-g HOST[:PORT]] [-p PROTECTION]\n"
	    "                                [-s SERVICE[@HOST]] HOST PORT\n"
	    "       gatewarden-agent --version\n",
	    stderr);
	return OUTCOME_USAGE;
}

/* ---- connect ---- */

/* People and ssh write IPv6 addresses without brackets, too. */
static bool
parse_destination(
    const char *host, const char *port, struct endpoint *destination)
{
	struct address address;
	uint64_t number;

	if (!text_parse_u64(port, 1, 65535, &number))
		return false;
	if (address_parse(host, &address)) {
		*destination =
		    endpoint_from_address(&address, (uint16_t)number);
		return true;
	}
	return endpoint_from_name(
	    host, strlen(host), (uint16_t)number, destination);
}

/* "SERVICE@HOST" apart; without a host the gateway's own name counts. */
static bool
split_service(const struct settings *settings,
    const struct gateway_name *gateway, char service[SERVICE_SIZE],
    const char **host)
{
	size_t len = strcspn(settings->service, "@");
	const char *at = settings->service + len;

	if (len == 0 || len >= SERVICE_SIZE)
		return false;
	memcpy(service, settings->service, len);
	service[len] = '\0';
	*host = *at == '@' ? at + 1 : gateway->host;
	return **host != '\0';
}

/* From here on a silence is not an error. */
static void
lift_time_limit(int fd)
{
	const struct timeval none = {0};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
}

static enum outcome
tunnel(const struct gateway_name *gateway, const struct handshake *handshake)
{
	static struct stream stream;
	enum outcome outcome = dial(gateway, &stream.fd);

	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = handshake_run(handshake, &stream);
	if (outcome == OUTCOME_OK) {
		lift_time_limit(stream.fd);
		outcome = pump_run(&stream, STDIN_FILENO, STDOUT_FILENO);
	}
	seal_free(stream.seal);
	(void)close(stream.fd);
	return outcome;
}

static enum outcome
connect_through(const struct settings *settings)
{
	char service[SERVICE_SIZE];
	struct gateway_name gateway;
	struct handshake handshake = {
	    .service = service,
	    .protection = settings->protection,
	};

	if (settings->gateway == NULL)
		return outcome_say(OUTCOME_USAGE,
		    "no gateway: use --gateway or set GATEWARDEN_GATEWAY");
	if (!gateway_name_parse(settings->gateway, &gateway))
		return outcome_say(
		    OUTCOME_USAGE, "%s is no HOST[:PORT]", settings->gateway);
	if (!parse_destination(
		settings->host, settings->port, &handshake.destination))
		return outcome_say(OUTCOME_USAGE, "%s port %s is no target",
		    settings->host, settings->port);
	if (!split_service(
		settings, &gateway, service, &handshake.service_host))
		return outcome_say(OUTCOME_USAGE, "%s is no SERVICE[@HOST]",
		    settings->service);
	return tunnel(&gateway, &handshake);
}

static enum outcome
run_connect(int argc, char **argv)
{
	static const struct option options[] = {
	    {"gateway", required_argument, NULL, 'g'},
	    {"protection", required_argument, NULL, 'p'},
	    {"service", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	struct settings settings = {
	    .gateway = getenv("GATEWARDEN_GATEWAY"),
	    .protection = PROTECTION_CONFIDENTIALITY,
	    .service = "socks",
	};
	int option;

	while ((option = getopt_long(argc, argv, "+g:p:s:", options, NULL)) !=
	       -1) {
		if (option == 'g')
			settings.gateway = optarg;
		else if (option == 's')
			settings.service = optarg;
		else if (option != 'p' ||
			 !protection_parse(optarg, &settings.protection))
			return usage();
	}
	if (argc - optind != 2)
		return usage();
	settings.host = argv[optind];
	settings.port = argv[optind + 1];
	return connect_through(&settings);
}

int
main(int argc, char **argv)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("gatewarden-agent " PACKAGE_VERSION);
		return OUTCOME_OK;
	}
	if (argc < 2 || strcmp(argv[1], "connect") != 0)
		return (int)usage();
	return (int)run_connect(argc - 1, argv + 1);
}
