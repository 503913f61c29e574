/* SPDX-License-Identifier: ISC */
/* Answers what a name resolves to, by the gateway's own resolver. */
#include "gateway/control_commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/control_server.h"
#include "relay/resolver.h"

struct asked {
	struct control_call *call;
	struct resolution *resolution;
};

static void
say(struct control_call *call, const char *kind, const char *name,
    const char *text)
{
	struct options *line = control_line_begin(kind);

	options_add(line, name, text);
	control_line_end(call, line);
}

static void
on_resolved(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct asked *asked = arg;
	char text[ADDRESS_TEXT_SIZE];

	asked->resolution = NULL;
	say(asked->call, "name", "reason", reason_name(reason));
	for (size_t i = 0; reason == REASON_OK && i < count; i++)
		say(asked->call, "address", "address",
		    address_print(&addresses[i], text));
	control_call_done(asked->call);
}

static void *
start(struct control_call *call)
{
	const char *name = options_get(control_call_asked(call), "name", "");
	struct endpoint endpoint;
	struct asked *asked;

	if (!endpoint_from_name(name, strlen(name), 0, &endpoint) ||
	    endpoint.kind != ENDPOINT_NAME) {
		control_call_fail(
		    call, CTL_BAD_QUESTION, "it is no name of a host");
		return NULL;
	}
	asked = must_alloc(1, sizeof(*asked));
	asked->call = call;
	asked->resolution = resolution_start(control_call_world(call)->resolver,
	    endpoint.name, on_resolved, asked);
	if (asked->resolution == NULL)
		control_call_fail(call, CTL_UNAVAILABLE, "out of memory");
	return asked;
}

static void
end(void *state)
{
	struct asked *asked = state;

	if (asked != NULL)
		resolution_cancel(asked->resolution);
	free(asked);
}

static const char *const resolve_arguments[] = {"name", NULL};

const struct control_command control_resolve = {
    .name = "resolve",
    .arguments = resolve_arguments,
    .start = start,
    .end = end,
};
