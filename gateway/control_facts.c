/* SPDX-License-Identifier: ISC */
/* Answers what judging needs to know of the gateway itself. */
#include "gateway/control_commands.h"

#include "base/address.h"
#include "base/ctl_protocol.h"
#include "base/options.h"
#include "base/realm_line.h"
#include "gateway/control_server.h"
#include "gateway/settings.h"

static void
say_facts(struct control_call *call)
{
	const struct settings *settings = control_call_world(call)->settings;
	struct options *line = control_line_begin("facts");

	options_add(line, "checks_accounts",
	    ctl_yes(settings_check_accounts(settings)));
	options_add(
	    line, "has_directory", ctl_yes(settings->directory_uri.count > 0));
	options_add(line, "allow_empty", ctl_yes(settings->allow_empty));
	control_line_end(call, line);
}

/* Address and port; NULL and 0: it has none. */
static void
say(struct control_call *call, const char *kind, const char *name,
    const struct address *address, uint16_t port)
{
	struct options *line = control_line_begin(kind);
	char text[ADDRESS_TEXT_SIZE];

	if (name != NULL)
		options_add(line, "name", name);
	if (address != NULL)
		options_add(line, "address", address_print(address, text));
	if (port != 0)
		options_add_u64(line, "port", port);
	control_line_end(call, line);
}

static void
say_own(struct control_call *call)
{
	const struct own_addresses *own = &control_call_world(call)->own;

	for (size_t i = 0; i < own->count; i++)
		say(call, "address", NULL, &own->addresses[i], 0);
	for (size_t i = 0; i < own->port_count; i++)
		say(call, "port", NULL, NULL, own->ports[i]);
}

static void
say_listeners(struct control_call *call, const struct settings *settings)
{
	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct listener_settings *listener =
		    &settings->listeners[i];

		say(call, "listener", listener->name, &listener->bind.address,
		    listener->bind.port);
	}
}

static void
say_realms(struct control_call *call, const struct settings *settings)
{
	struct realm_line line;

	for (size_t i = 0; i < settings->realms.count; i++)
		say(call, "realm", settings->realms.texts[i], NULL, 0);
	say(call, "realm", settings->password_realm, NULL, 0);
	for (size_t i = 0; i < settings->directory_realms.count; i++)
		if (realm_line_parse(
			settings->directory_realms.texts[i], &line))
			say(call, "realm", line.realm, NULL, 0);
}

static void *
start(struct control_call *call)
{
	const struct settings *settings = control_call_world(call)->settings;

	say_facts(call);
	say_own(call);
	say_listeners(call, settings);
	say_realms(call, settings);
	control_call_done(call);
	return NULL;
}

const struct control_command control_facts = {
    .name = "facts",
    .start = start,
};
