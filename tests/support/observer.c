/* SPDX-License-Identifier: ISC */
/* A throw-away directory full of program_echo, and what these tell. */
#include "tests/support/unit.h"

#include "tests/support/observer.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/role.h"

#define PATH_SIZE 256
#define LOOK_US	  2000

static void
in_directory(
    const struct observer *observer, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/%s", observer->directory, name);
}

static void
find_echo(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 32);

	assert_true(len > 0);
	path[len] = '\0';
	(void)memcpy(
	    strrchr(path, '/'), "/program_echo", sizeof("/program_echo"));
	assert_int_equal(access(path, X_OK), 0);
}

static void
install_programs(const struct observer *observer)
{
	char echo[PATH_MAX], path[PATH_SIZE], name[64];

	find_echo(echo);
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		(void)snprintf(
		    name, sizeof(name), "gatewarden-%s", role_name(role));
		in_directory(observer, name, path);
		assert_int_equal(symlink(echo, path), 0);
	}
}

void
observer_init(struct observer *observer)
{
	char path[PATH_SIZE];

	memset(observer, 0, sizeof(*observer));
	(void)snprintf(observer->directory, sizeof(observer->directory),
	    "/tmp/gatewarden-test-XXXXXX");
	assert_non_null(mkdtemp(observer->directory));
	in_directory(observer, "observer", path);
	observer->fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(observer->fd >= 0);
	install_programs(observer);
}

/* As deep as the state folders go. */
static void
remove_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char inner[PATH_MAX];

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(
		    inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) < 0)
			remove_directory(inner);
	}
	(void)closedir(directory);
	assert_int_equal(rmdir(path), 0);
}

void
observer_fini(struct observer *observer)
{
	remove_directory(observer->directory);
	(void)close(observer->fd);
	for (size_t i = 0; i < observer->count; i++)
		free(observer->lines[i]);
}

void
observer_write(struct observer *observer, const char *name, const char *text)
{
	char path[PATH_SIZE];
	FILE *file;

	in_directory(observer, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
take_octet(struct observer *observer, char octet)
{
	if (octet != '\n') {
		assert_true(observer->rest_len < sizeof(observer->rest));
		observer->rest[observer->rest_len++] = octet;
		return;
	}
	assert_true(observer->count < OBSERVER_LINES);
	observer->lines[observer->count++] =
	    strndup(observer->rest, observer->rest_len);
	observer->rest_len = 0;
}

void
observer_read(struct observer *observer)
{
	char octets[4096];
	ssize_t len;

	while ((len = read(observer->fd, octets, sizeof(octets))) > 0) {
		for (ssize_t i = 0; i < len; i++)
			take_octet(observer, octets[i]);
	}
}

void
observer_mark(struct observer *observer)
{
	observer_read(observer);
	observer->mark = observer->count;
}

/* The pid of the first line that fits, or 0. */
static pid_t
look(const struct observer *observer, const char *who, const char *text)
{
	size_t who_len = strlen(who);

	for (size_t i = observer->mark; i < observer->count; i++) {
		const char *line = observer->lines[i];
		char *rest;
		long pid;

		if (strncmp(line, who, who_len) != 0 || line[who_len] != ' ')
			continue;
		pid = strtol(line + who_len, &rest, 10);
		if (strncmp(rest + 1, text, strlen(text)) == 0)
			return (pid_t)pid;
	}
	return 0;
}

bool
observer_has(struct observer *observer, const char *who, const char *text)
{
	observer_read(observer);
	return look(observer, who, text) != 0;
}

pid_t
observer_wait(struct observer *observer, const char *who, const char *text)
{
	for (int waited_us = 0; waited_us < OBSERVER_WAIT_MS * 1000;
	     waited_us += LOOK_US) {
		pid_t pid;

		observer_read(observer);
		pid = look(observer, who, text);
		if (pid != 0)
			return pid;
		(void)usleep(LOOK_US);
	}
	for (size_t i = observer->mark; i < observer->count; i++)
		print_message("%s\n", observer->lines[i]);
	fail_msg("nobody told: %s: %s", who, text);
	return 0;
}
