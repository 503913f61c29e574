/* SPDX-License-Identifier: ISC */
/* What can be asked over the control socket: the commands, by name. */
#include "gateway/control_commands.h"

#include "gateway/control_server.h"

const struct control_command *const control_commands[] = {
    &control_drain,
    &control_entry,
    &control_explain,
    &control_facts,
    &control_kill,
    &control_log_level,
    &control_metrics,
    &control_reload,
    &control_resolve,
    &control_restart,
    &control_rules,
    &control_sessions,
    &control_status,
    &control_set,
    &control_set_log_level,
    &control_subject,
    NULL,
};
