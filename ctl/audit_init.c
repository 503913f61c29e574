/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl audit init: makes the audit chain's first key, once, and
 * shows it, once.
 */
#include "ctl/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/audit_chain_key.h"
#include "base/sandbox.h"
#include "ctl/chain_key_text.h"
#include "ctl/spool.h"

struct init {
	const char *path; /* of the spool */
	const char *user; /* the auditor's */
	int folder;	  /* in which it lies */
	struct audit_chain chain;
};

static bool
read_options(struct init *init, int argc, char **argv)
{
	static const struct option options[] = {
	    {"spool", required_argument, NULL, 's'},
	    {"user", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			init->path = optarg;
		else if (option == 'u')
			init->user = optarg;
		else
			return false;
	}
	return optind == argc;
}

/* Makes a folder if it is not there; 1 if it was made, 0, or -errno. */
static int
make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Our umask leaves less. */
	return chmod(path, mode) < 0 ? -errno : 1;
}

/* What is before the last name of a path; false if there is none. */
static bool
cut_name(char *path)
{
	char *mark = strrchr(path, '/');

	if (mark == NULL || mark == path)
		return false;
	*mark = '\0';
	return true;
}

/* Its owner becomes the auditor, where we are root.  0 or -errno. */
static int
give(const struct init *init, const char *path)
{
	struct sandbox_user user;
	int status;

	if (geteuid() != 0)
		return 0;
	status = sandbox_user_find(init->user, &user);
	if (status < 0)
		return status;
	return lchown(path, user.uid, user.gid) < 0 ? -errno : 0;
}

/* As the gateway makes them when it is started: the folder for what must
 * survive, the auditor's in it, and the spool.  0 or -errno. */
static int
make_folders(const struct init *init)
{
	char above[PATH_MAX], top[PATH_MAX];
	int status = 0;

	if (strlcpy(above, init->path, sizeof(above)) >= sizeof(above))
		return -ENAMETOOLONG;
	if (cut_name(above)) {
		memcpy(top, above, sizeof(top));
		status = cut_name(top) ? make_folder(top, 0711) : 0;
		if (status >= 0)
			status = make_folder(above, 0700);
		if (status > 0)
			status = give(init, above);
	}
	if (status >= 0)
		status = make_folder(init->path, 0700);
	return status > 0 ? give(init, init->path) : status;
}

/* Is there neither a key nor a record that is chained already? */
static enum outcome
look(struct init *init)
{
	enum outcome outcome;
	struct spool *spool;
	bool is_empty;

	outcome = spool_open(init->path, &spool);
	if (outcome != OUTCOME_OK)
		return outcome;
	is_empty = spool_segment_count(spool) == 0;
	init->folder = spool_open_parent(spool);
	spool_close(spool);
	if (init->folder < 0)
		return outcome_say(OUTCOME_NO_INPUT,
		    "%s/..: cannot be read: %s", init->path,
		    strerror(-init->folder));
	if (!is_empty)
		return outcome_say(OUTCOME_DATA,
		    "%s has records: a new chain begins with an empty spool",
		    init->path);
	if (faccessat(init->folder, AUDIT_CHAIN_KEY_FILE, F_OK,
		AT_SYMLINK_NOFOLLOW) == 0)
		return outcome_say(OUTCOME_DATA,
		    "%s/../" AUDIT_CHAIN_KEY_FILE
		    " is there already: the chain has its key",
		    init->path);
	return OUTCOME_OK;
}

/* 0 or -errno. */
static int
write_key(const struct init *init)
{
	int status = audit_chain_key_write(init->folder, &init->chain);
	struct stat owner;

	if (status < 0 || geteuid() != 0)
		return status;
	if (fstat(init->folder, &owner) < 0 ||
	    fchownat(init->folder, AUDIT_CHAIN_KEY_FILE, owner.st_uid,
		owner.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static enum outcome
show_key(const struct init *init)
{
	char text[80];
	bool was_shown;

	chain_key_text_print(init->chain.key, text);
	was_shown = printf("%s\n", text) > 0 && fflush(stdout) == 0;
	explicit_bzero(text, sizeof(text));
	if (!was_shown) {
		/* Nobody could ever verify by it. */
		(void)unlinkat(init->folder, AUDIT_CHAIN_KEY_FILE, 0);
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	}
	(void)fputs(
	    "This is the first key of the audit chain.  It is shown once, and "
	    "this host\nforgets it: keep it elsewhere, for gatewardenctl audit "
	    "verify.\n",
	    stderr);
	return OUTCOME_OK;
}

static enum outcome
run(struct init *init)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];
	enum outcome outcome;
	int status = make_folders(init);

	if (status < 0)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be made: %s",
		    init->path, strerror(-status));
	outcome = look(init);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return outcome_say(OUTCOME_LOCAL, "no random octets");
	audit_chain_init(&init->chain, key);
	explicit_bzero(key, sizeof(key));
	status = write_key(init);
	if (status < 0) {
		(void)unlinkat(init->folder, AUDIT_CHAIN_KEY_FILE, 0);
		return outcome_say(OUTCOME_LOCAL,
		    "%s/../" AUDIT_CHAIN_KEY_FILE ": cannot be written: %s",
		    init->path, strerror(-status));
	}
	return show_key(init);
}

enum outcome
audit_init_run(const struct ctl *ctl, int argc, char **argv)
{
	struct init init = {
	    .path = SPOOL_DEFAULT, .user = SERVICE_USER "-audit", .folder = -1};
	enum outcome outcome;

	/* A key is no document. */
	if (!read_options(&init, argc, argv) || ctl->wants_json)
		return OUTCOME_USAGE;
	outcome = run(&init);
	if (init.folder >= 0)
		(void)close(init.folder);
	audit_chain_wipe(&init.chain);
	return outcome;
}
