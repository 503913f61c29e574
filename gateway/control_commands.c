/* SPDX-License-Identifier: ISC */
/* What can be asked over the control socket: the commands, by name. */
#include "gateway/control_commands.h"

#include "gateway/control_server.h"

const struct control_command *const control_commands[] = {
    &control_explain,
    &control_rules,
    NULL,
};
