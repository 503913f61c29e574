/* SPDX-License-Identifier: ISC */
/* A realm with a directory of its own, as directory.realms says it. */
#ifndef BASE_REALM_LINE_H
#define BASE_REALM_LINE_H

#include <stdbool.h>

#include "base/compiler.h"

#define REALM_NAME_SIZE 256
#define REALM_TEXT_SIZE 1024
#define REALMS_MAX	16

/* "REALM URI[,URI] BASE [(FILTER)]" in its parts. */
struct realm_line {
	char realm[REALM_NAME_SIZE];
	char uris[REALM_TEXT_SIZE]; /* with commas between */
	char base[REALM_TEXT_SIZE]; /* of its users and groups */
	char
	    filter[REALM_TEXT_SIZE]; /* a template; "": directory.user_filter */
};

/* False if it is none, or a part is longer than allowed.  Whether URIs, base
 * and filter are what they should be is not looked at. */
bool realm_line_parse(const char *text, struct realm_line *line) must_check;

/* The realm of a principal; "" if it has none. */
const char *realm_of(const char *principal);

#endif
