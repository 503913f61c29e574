/* SPDX-License-Identifier: ISC */
/* What a proved client asks for; plain data that policy judges. */
#include "base/request.h"

#include <string.h>

static const struct {
	enum command command;
	const char *name;
} commands[] = {
    {COMMAND_CONNECT, "connect"},
    {COMMAND_BIND, "bind"},
    {COMMAND_UDP, "udp"},
};

const char *
command_name(enum command command)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (commands[i].command == command)
			return commands[i].name;
	return "unknown";
}

bool
command_parse(const char *text, enum command *command)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (strcmp(text, commands[i].name) == 0) {
			*command = commands[i].command;
			return true;
		}
	}
	return false;
}
