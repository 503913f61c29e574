/* SPDX-License-Identifier: ISC */
/*
 * The files that the listeners' TLS is made of, opened by the master: the
 * gateway's user need not be able to read a key.
 *
 * What is handed over is a copy in memory that nobody can change, made by the
 * kernel: the master itself never looks into it, and a gateway that is started
 * anew gets what was taken, not what the file has become since.
 */
#ifndef GATEWAY_PAPERS_H
#define GATEWAY_PAPERS_H

#include <stddef.h>

#include "base/compiler.h"

struct papers;
struct settings;

/* A certificate with all that it leads by is a few KiB. */
#define PAPER_MAX ((size_t)1 << 20)

/* The name under which one is handed over: what it is, of which listener, and
 * where the settings name it: "tls_key public /etc/x.conf:12". */
#define PAPER_NAME_SIZE 250

/* Those of all listeners.  NULL, with a sentence in why that begins with the
 * setting's file and line. */
struct papers *papers_open(
    const struct settings *settings, char *why, size_t why_size) must_check;
void papers_close(struct papers *papers); /* NULL is fine */

size_t papers_count(const struct papers *papers);
const char *papers_name(const struct papers *papers, size_t n);
int papers_fd(const struct papers *papers, size_t n); /* borrowed */

#endif
