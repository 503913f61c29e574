/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the settings file: a text that is taken prints as one that is taken
 * again, prints the same, and needs no restart; one that is not brings
 * complaints, each with the file and a line of it.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/settings.h"

#define CALLED "fuzz.conf"

static struct settings *
load(const void *text, size_t len, char **errors)
{
	size_t errors_len;
	FILE *stream = open_memstream(errors, &errors_len);
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *settings;

	property(stream != NULL && fd >= 0);
	property(write(fd, text, len) == (ssize_t)len);
	settings = settings_load_fd(fd, CALLED, stream);
	property(fclose(stream) == 0);
	(void)close(fd);
	return settings;
}

static char *
print(const struct settings *settings)
{
	char *text;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	property(stream != NULL);
	settings_print(settings, stream);
	property(fclose(stream) == 0);
	return text;
}

static void
check_taken(const struct settings *settings)
{
	char *first = print(settings), *second, *errors;
	struct settings *again = load(first, strlen(first), &errors);

	property(again != NULL && *errors == '\0');
	property(settings_restart_needed(settings, again) == NULL);
	property(again->listener_count == settings->listener_count);
	second = print(again);
	property(strcmp(first, second) == 0);
	settings_unref(again);
	free(errors);
	free(first);
	free(second);
}

static void
check_complaints(const char *errors, unsigned long lines)
{
	property(*errors != '\0');
	while (*errors != '\0') {
		char *end;
		unsigned long line;

		property(strncmp(errors, CALLED ":", strlen(CALLED ":")) == 0);
		line = strtoul(errors + strlen(CALLED ":"), &end, 10);
		property(line >= 1 && line <= lines);
		property(strncmp(end, ": ", 2) == 0);
		errors = strchr(errors, '\n');
		property(errors != NULL);
		errors++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned long lines = 1;
	struct settings *settings;
	char *errors;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	settings = load(data, size, &errors);
	if (settings != NULL) {
		property(*errors == '\0');
		check_taken(settings);
	} else {
		check_complaints(errors, lines);
	}
	settings_unref(settings);
	free(errors);
	return 0;
}
