/* SPDX-License-Identifier: ISC */
/* A whole configuration, opened, and how each program is told about it. */
#include "gateway/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/control.h"
#include "base/must.h"
#include "base/options.h"
#include "base/wire.h"
#include "gateway/child.h"
#include "gateway/control_socket.h"
#include "gateway/helper_options.h"
#include "gateway/listeners.h"
#include "gateway/papers.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

#define INSTANCE_SIZE 256

/* ---- opening ---- */

int
plan_open_password(const struct settings *settings, char *why, size_t why_size)
{
	int fd = open(settings->password_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		(void)snprintf(why, why_size,
		    "directory.password_file %s cannot be opened: %s",
		    settings->password_file, strerror(errno));
	return fd;
}

struct plan *
plan_open(struct settings *settings, uint64_t generation,
    const struct plan *before, char *why, size_t why_size)
{
	struct plan *plan = must_alloc(1, sizeof(*plan));
	bool was_good;

	plan->generation = generation;
	plan->settings = settings;
	plan->password = -1;
	was_good = control_socket_open(settings,
		       before != NULL ? before->control : NULL, &plan->control,
		       why, why_size) &&
		   control_socket_groups(
		       settings, &plan->control_groups, why, why_size);
	if (was_good && settings->password_file[0] != '\0') {
		plan->password = plan_open_password(settings, why, why_size);
		was_good = plan->password >= 0;
	}
	if (was_good) {
		plan->papers = papers_open(settings, why, why_size);
		was_good = plan->papers != NULL;
	}
	if (was_good)
		plan->listeners = listeners_open(settings,
		    before != NULL ? before->listeners : NULL, why, why_size);
	if (plan->listeners == NULL) {
		plan_close(plan);
		return NULL;
	}
	return plan;
}

void
plan_close(struct plan *plan)
{
	if (plan == NULL)
		return;
	settings_unref(plan->settings);
	listeners_close(plan->listeners);
	papers_close(plan->papers);
	control_socket_unref(plan->control);
	if (plan->password >= 0)
		(void)close(plan->password);
	free(plan);
}

/* ---- telling ---- */

static void
add_instance(struct options *options, const struct settings *settings)
{
	char name[INSTANCE_SIZE] = "";

	if (settings->instance[0] == '\0' &&
	    gethostname(name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	options_add(options, "instance",
	    settings->instance[0] != '\0' ? settings->instance
	    : name[0] != '\0'		  ? name
					  : "localhost");
}

static void
send_options(const struct plan *plan, const struct plan_extras *extras,
    struct child *child)
{
	enum role role = child_role(child);
	struct options *options = options_new();
	char *folder = programs_folder(role, plan->settings);
	uint8_t *data;
	size_t len;

	helper_options_add(options, role, plan->settings);
	options_add(options, "state_dir", folder);
	options_add_u64(options, "index", child_index(child));
	if (role == ROLE_AUDITOR) {
		add_instance(options, plan->settings);
		options_add(options, "boot_id", extras->boot_id);
	}
	options_encode(options, &data, &len);
	(void)child_send(child, CONTROL_CONFIGURE, 0, data, len, -1);
	free(data);
	free(folder);
	options_free(options);
}

static void
send_password(const struct plan *plan, const struct plan_extras *extras,
    struct child *child)
{
	(void)extras;
	if (plan->password >= 0)
		child_send_named(
		    child, CONTROL_FILE, "directory.password", plan->password);
}

/* The effective settings in memory that nobody can change any more; -1 and
 * errno. */
static int
print_sealed(const struct settings *settings)
{
	int fd = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
	bool was_good = out != NULL;

	if (out != NULL) {
		settings_print(settings, out);
		was_good = fclose(out) == 0 &&
			   fcntl(fd, F_ADD_SEALS,
			       F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
				   F_SEAL_WRITE) == 0;
	} else if (copy >= 0) {
		(void)close(copy);
	}
	if (!was_good && fd >= 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
send_control(const struct plan *plan, struct child *child)
{
	uint8_t groups[2 * sizeof(uint32_t)];
	struct wire_writer writer;

	if (plan->control == NULL)
		return;
	wire_writer_init(&writer, groups, sizeof(groups));
	wire_put_u32(&writer, plan->control_groups.read);
	wire_put_u32(&writer, plan->control_groups.operate);
	(void)child_send(child, CONTROL_SOCKET, 0, groups, writer.len,
	    control_socket_fd(plan->control));
}

static void
send_gateway_parts(const struct plan *plan, const struct plan_extras *extras,
    struct child *child)
{
	int fd = print_sealed(plan->settings);

	if (fd < 0) {
		child_kill(child, "the settings cannot be handed over");
		return;
	}
	(void)child_send(child, CONTROL_SETTINGS, 0, NULL, 0, fd);
	(void)close(fd);
	for (size_t i = 0; i < papers_count(plan->papers); i++)
		child_send_named(child, CONTROL_FILE,
		    papers_name(plan->papers, i), papers_fd(plan->papers, i));
	for (size_t i = 0; i < listeners_count(plan->listeners); i++)
		child_send_named(child, CONTROL_LISTENER,
		    listeners_name(plan->listeners, i),
		    listeners_fd(plan->listeners, i));
	send_control(plan, child);
	(void)child_send(child, CONTROL_ADDRESSES, 0, extras->addresses,
	    extras->addresses_len, -1);
}

static void (*const send_parts[ROLE_COUNT])(const struct plan *plan,
    const struct plan_extras *extras, struct child *child) = {
    [ROLE_GATEWAY] = send_gateway_parts,
    [ROLE_DIRECTORY_WATCH] = send_password,
    [ROLE_DIRECTORY_LOOKUP] = send_password,
};

void
plan_tell(const struct plan *plan, const struct plan_extras *extras,
    struct child *child)
{
	send_options(plan, extras, child);
	if (send_parts[child_role(child)] != NULL)
		send_parts[child_role(child)](plan, extras, child);
	child_commit(child, plan->generation);
}
