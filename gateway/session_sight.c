/* SPDX-License-Identifier: ISC */
/* What an administrator sees of a session. */
#include "gateway/session_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/ctl_protocol.h"
#include "base/options.h"
#include "gateway/census.h"
#include "gateway/session_udp_private.h"

/* ---- which one is meant */

static bool
is_user(const struct session *session, const char *user)
{
	const char *name = session->identity.name;
	size_t len = strlen(user);

	if (strncmp(name, user, len) != 0)
		return false;
	return name[len] == '\0' ||
	       (name[len] == '@' && strchr(user, '@') == NULL);
}

/* The text, or it and a port behind it. */
static bool
is_at(const char *place, const char *target)
{
	size_t len = strlen(target);

	return strncmp(place, target, len) == 0 &&
	       (place[len] == '\0' ||
		   (place[len] == ':' && strchr(place + len + 1, ':') == NULL));
}

/* An IPv6 address stands in brackets where it has a port. */
static bool
is_place(const char *place, const char *target)
{
	size_t len = strlen(target);

	return is_at(place, target) ||
	       (place[0] == '[' && strncmp(place + 1, target, len) == 0 &&
		   place[len + 1] == ']');
}

static bool
is_target(const struct session *session, const char *target)
{
	char asked[ENDPOINT_TEXT_SIZE], dialled[SOCKET_ADDRESS_TEXT_SIZE];

	return session->has_request &&
	       (is_place(endpoint_print(&session->asked.destination, asked),
		    target) ||
		   is_place(socket_address_print(&session->dialled, dialled),
		       target));
}

static const char *
rule_of(const struct session *session)
{
	return session->rules != NULL ? session->verdict.rule : "";
}

bool
session_fits(
    const struct session *session, const struct census_question *question)
{
	return (question->session == 0 || session->id == question->session) &&
	       (question->user[0] == '\0' ||
		   (session->is_proved && is_user(session, question->user))) &&
	       (question->rule[0] == '\0' ||
		   strcmp(rule_of(session), question->rule) == 0) &&
	       (question->target[0] == '\0' ||
		   is_target(session, question->target));
}

/* ---- what is said of it */

struct tunnel_counts
session_count(const struct session *session)
{
	struct association_counts udp;

	if (session->tunnel != NULL)
		return tunnel_count(session->tunnel);
	if (session->udp == NULL)
		return session->counts;
	udp = association_count(session->udp->association);
	return (struct tunnel_counts){
	    .to_target = udp.bytes_to_target, .to_client = udp.bytes_to_client};
}

static void
put_address(struct options *line, const char *name,
    const struct socket_address *address)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	if (address->address.family != ADDRESS_NONE)
		options_add(line, name, socket_address_print(address, text));
}

static void
put_request(struct options *line, const struct session *session)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (!session->has_request)
		return;
	options_add(line, "command", command_name(session->asked.command));
	options_add(line, "destination",
	    endpoint_print(&session->asked.destination, text));
	put_address(line, "dialled", &session->dialled);
	options_add(line, "rule", rule_of(session));
}

struct options *
session_sight(const struct session *session)
{
	struct tunnel_counts counts = session_count(session);
	struct options *line = options_new();

	options_add(line, "kind", "session");
	options_add_u64(line, "session", session->id);
	options_add(line, "step", session->is_standing ? "relay" : "handshake");
	put_address(line, "client", &session->client);
	options_add(line, "listener", session->listener->name);
	if (session->is_proved) {
		options_add(line, "user", session->identity.name);
		options_add(
		    line, "method", method_name(session->identity.method));
	}
	put_request(line, session);
	options_add_u64(
	    line, "age_ms", (clock_monotonic_us() - session->opened_us) / 1000);
	options_add_u64(line, "to_target", counts.to_target);
	options_add_u64(line, "to_client", counts.to_client);
	return line;
}
