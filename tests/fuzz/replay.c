/* SPDX-License-Identifier: ISC */
/*
 * The main() of a fuzz target where there is no libFuzzer: runs the target
 * once over every file of its corpus.
 *
 * fuzz_X replays the folder $srcdir/tests/fuzz/corpus/X, or the folder that
 * its argument names.  An empty corpus is a failure.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#define INPUT_MAX (1024 * 1024)

static void
fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(EXIT_FAILURE);
}

static void
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room = malloc(INPUT_MAX);
	uint8_t *data;
	size_t size;

	if (file == NULL || room == NULL)
		fail(path, "cannot be opened");
	size = fread(room, 1, INPUT_MAX, file);
	if (ferror(file) || !feof(file))
		fail(path, "cannot be read or is too large");
	fclose(file);
	/* No room behind the last octet: reading there is to be seen. */
	data = malloc(size + 1);
	if (data == NULL)
		fail(path, "no memory");
	memcpy(data + 1, room, size);
	free(room);
	LLVMFuzzerTestOneInput(data + 1, size);
	free(data);
}

static unsigned
replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		fail(folder, "no such folder");
	while ((entry = readdir(dir)) != NULL) {
		char path[PATH_MAX + NAME_MAX + 2];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		replay(path);
		count++;
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	char folder[PATH_MAX];
	unsigned count;

	if (strncmp(name, "fuzz_", strlen("fuzz_")) == 0)
		name += strlen("fuzz_");
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s",
	    srcdir == NULL ? "." : srcdir, name);
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	count = replay_folder(folder);
	printf("%s: %u inputs\n", name, count);
	if (count == 0)
		fail(folder, "the corpus is empty");
	return EXIT_SUCCESS;
}
