/* SPDX-License-Identifier: ISC */
/* What the auditor knows that must survive its own death. */
#include "gateway/audit_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"

#define MAGIC	    0x6761746561756403u /* and the layout's number */
#define SOURCES_MAX 4096

struct source {
	uint64_t id, taken;
	uint64_t used; /* when, by `uses`; the longest unused goes first */
};

/* As it lies in the file. */
struct state_file {
	uint64_t magic;
	uint64_t sequence; /* the last that was given out */
	uint64_t forwarded;
	uint64_t uses;
	/* The last change.  Storing `step_sequence`, which is one word, makes
	 * it so; what follows from it can be done again. */
	uint64_t step_source, step_taken;
	uint64_t step_sequence;
	uint64_t source_count;
	struct source sources[SOURCES_MAX];
};

struct audit_state {
	struct state_file *file;
};

/* The compiler keeps the stores in this order, and one processor sees its
 * own in order: all that matters to whom takes over from a dead process. */
static void
store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static struct source *
find(const struct state_file *file, uint64_t id)
{
	for (size_t i = 0; i < file->source_count; i++)
		if (file->sources[i].id == id)
			return &((struct state_file *)(uintptr_t)file)
				    ->sources[i];
	return NULL;
}

static struct source *
longest_unused(struct state_file *file)
{
	struct source *found = &file->sources[0];

	for (size_t i = 1; i < SOURCES_MAX; i++)
		if (file->sources[i].used < found->used)
			found = &file->sources[i];
	return found;
}

static void
set_taken(struct state_file *file, uint64_t id, uint64_t number)
{
	struct source *source = find(file, id);

	if (id == 0)
		return;
	if (source == NULL && file->source_count < SOURCES_MAX) {
		source = &file->sources[file->source_count];
		store(&source->id, id);
		store(&source->taken, 0);
		store(&file->source_count, file->source_count + 1);
	} else if (source == NULL) {
		source = longest_unused(file);
		store(&source->taken, 0);
		store(&source->id, id);
	}
	store(&source->taken, number);
	store(&source->used, ++file->uses);
}

/* What follows from the last step; done again after a death. */
static void
finish_step(struct state_file *file)
{
	if (file->step_sequence == file->sequence)
		return;
	set_taken(file, file->step_source, file->step_taken);
	store(&file->sequence, file->step_sequence);
}

/* NULL and errno.  The whole file has its place on the disk, so that no store
 * finds it full. */
static struct state_file *
map(int fd)
{
	int error = posix_fallocate(fd, 0, sizeof(struct state_file));
	void *mapped;

	if (error != 0) {
		errno = error;
		return NULL;
	}
	mapped = mmap(NULL, sizeof(struct state_file), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	return mapped != MAP_FAILED ? mapped : NULL;
}

struct audit_state *
audit_state_open(int folder)
{
	int fd = openat(folder, AUDIT_STATE_FILE,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct state_file *file = fd < 0 ? NULL : map(fd);
	int error = errno;
	struct audit_state *state;

	if (fd >= 0)
		(void)close(fd);
	if (file == NULL) {
		errno = error;
		return NULL;
	}
	state = must_alloc(1, sizeof(*state));
	state->file = file;
	if (file->magic != MAGIC || file->source_count > SOURCES_MAX) {
		memset(file, 0, sizeof(*file));
		store(&file->magic, MAGIC);
	}
	finish_step(file);
	return state;
}

void
audit_state_close(struct audit_state *state)
{
	if (state == NULL)
		return;
	(void)munmap(state->file, sizeof(*state->file));
	free(state);
}

uint64_t
audit_state_sequence(const struct audit_state *state)
{
	return state->file->sequence;
}

uint64_t
audit_state_taken(const struct audit_state *state, uint64_t source)
{
	const struct source *found = find(state->file, source);

	return found != NULL ? found->taken : 0;
}

void
audit_state_begin(struct audit_state *state, uint64_t source, uint64_t number)
{
	store(&state->file->step_source, source);
	store(&state->file->step_taken, number);
}

void
audit_state_commit(struct audit_state *state, uint64_t sequence)
{
	must(sequence > state->file->sequence);
	store(&state->file->step_sequence, sequence);
	finish_step(state->file);
}

uint64_t
audit_state_recover(struct audit_state *state, uint64_t sequence)
{
	uint64_t before = state->file->sequence;

	if (sequence > before)
		audit_state_commit(state, sequence);
	if (state->file->forwarded > state->file->sequence)
		store(&state->file->forwarded, state->file->sequence);
	return sequence < before ? before - sequence : 0;
}

uint64_t
audit_state_forwarded(const struct audit_state *state)
{
	return state->file->forwarded;
}

void
audit_state_forward(struct audit_state *state, uint64_t sequence)
{
	store(&state->file->forwarded, sequence);
}
