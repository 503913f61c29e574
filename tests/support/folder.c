/* SPDX-License-Identifier: ISC */
/* A folder of a test's own below /tmp. */
#include "tests/support/unit.h"

#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define DEEPEST 16

void
folder_make(char path[FOLDER_SIZE])
{
	(void)snprintf(path, FOLDER_SIZE, "%s", "/tmp/gatewarden.XXXXXX");
	assert_non_null(mkdtemp(path));
}

static int
remove_one(
    const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

void
folder_remove(const char *path)
{
	assert_int_equal(
	    nftw(path, remove_one, DEEPEST, FTW_DEPTH | FTW_PHYS), 0);
}
