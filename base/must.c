/* SPDX-License-Identifier: ISC */
/* What must hold, in release builds too: assertions and fatal starts. */
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void
must_failed(const char *condition, const char *file, int line)
{
	log_error(NULL, "%s:%d: must hold: %s", file, line, condition);
	abort();
}

void
die(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error(NULL, "%s", text);
	exit(EXIT_FAILURE);
}

void *
must_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		die("out of memory");
	return memory;
}

char *
must_strdup(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		die("out of memory");
	return copy;
}
