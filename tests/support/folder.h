/* SPDX-License-Identifier: ISC */
/* A folder of a test's own below /tmp. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#define FOLDER_SIZE 64

/* Made; its path. */
void folder_make(char path[FOLDER_SIZE]);
/* Removed with all that is in it. */
void folder_remove(const char *path);

#endif
