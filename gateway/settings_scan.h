/* SPDX-License-Identifier: ISC */
/*
 * A look at a settings file before libconfuse reads it.
 *
 * libconfuse swallows characters that it does not expect, expands ${ENV},
 * takes the last of two equal keys, miscounts lines and stops at its first
 * error.  The scanner therefore reports everything that is not plainly a
 * section with settings, and replaces it and all comments by spaces: what is
 * left is something on which libconfuse and a reader agree.
 */
#ifndef GATEWAY_SETTINGS_SCAN_H
#define GATEWAY_SETTINGS_SCAN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"

/* What the owner of the table knows. */
struct settings_scan_names {
	/* May there be such a section, and does it have a title? */
	bool (*has_section)(void *arg, const char *section, bool *titled);
	/* A section begins; title is NULL where it has none.  False after an
	 * error was reported: the section is left out. */
	bool (*section)(
	    void *arg, const char *section, const char *title, unsigned line);
	/* A setting of the section that was begun last.  False after an error
	 * was reported: the setting is left out. */
	bool (*setting)(
	    void *arg, const char *name, bool is_list, unsigned line);
	/* Reports what is wrong in that line. */
	void (*error)(void *arg, unsigned line, const char *format, ...)
	    printf_like(3, 4);
	void *arg;
};

/* Changes `text` in place; its length stays. */
void settings_scan(char *text, const struct settings_scan_names *names);

#endif
