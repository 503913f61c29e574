/* SPDX-License-Identifier: ISC */
/* What the auditor knows that must survive its own death. */
#include "gateway/audit_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"

#define MAGIC	    0x6761746561756402u /* and the layout's number */
#define SOURCES_MAX 4096

struct source {
	uint64_t id, taken;
	uint64_t used; /* when, by `uses`; the longest unused goes first */
};

/* As it lies in the file. */
struct state_file {
	uint64_t magic;
	uint64_t sequence; /* the last that was given out */
	uint64_t lost;
	uint64_t uses;
	/* The last change.  Storing `step_sequence`, which is one word, makes
	 * it so; what follows from it can be done again. */
	uint64_t step_source, step_taken, step_lost;
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
	store(&file->lost, file->step_lost);
	store(&file->sequence, file->step_sequence);
}

static void
step(struct state_file *file, uint64_t source, uint64_t number, uint64_t lost)
{
	store(&file->step_source, source);
	store(&file->step_taken, number);
	store(&file->step_lost, lost);
	store(&file->step_sequence, file->sequence + 1);
	finish_step(file);
}

static void *
map(int fd)
{
	struct stat status;
	void *mapped;

	if (fd < 0)
		return MAP_FAILED;
	if (fstat(fd, &status) < 0 ||
	    (status.st_size < (off_t)sizeof(struct state_file) &&
		ftruncate(fd, sizeof(struct state_file)) < 0)) {
		log_error(NULL, "the auditor's state cannot be used: %s",
		    strerror(errno));
		return MAP_FAILED;
	}
	mapped = mmap(NULL, sizeof(struct state_file), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		log_error(NULL, "the auditor's state cannot be used: %s",
		    strerror(errno));
	return mapped;
}

struct audit_state *
audit_state_open(int fd)
{
	struct audit_state *state = must_alloc(1, sizeof(*state));
	void *mapped = map(fd);

	if (fd >= 0)
		(void)close(fd);
	if (mapped == MAP_FAILED)
		mapped = mmap(NULL, sizeof(struct state_file),
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		die("no memory for the auditor's state");
	state->file = mapped;
	if (state->file->magic != MAGIC ||
	    state->file->source_count > SOURCES_MAX) {
		memset(state->file, 0, sizeof(*state->file));
		store(&state->file->magic, MAGIC);
	}
	finish_step(state->file);
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
	return state->file->sequence + 1;
}

uint64_t
audit_state_taken(const struct audit_state *state, uint64_t source)
{
	const struct source *found = find(state->file, source);

	return found != NULL ? found->taken : 0;
}

uint64_t
audit_state_lost(const struct audit_state *state)
{
	return state->file->lost;
}

void
audit_state_hand_over(
    struct audit_state *state, uint64_t source, uint64_t number)
{
	step(state->file, source, number, state->file->lost);
}

void
audit_state_hand_over_gap(struct audit_state *state, uint64_t lost)
{
	must(lost <= state->file->lost);
	step(state->file, 0, 0, state->file->lost - lost);
}

void
audit_state_lose(struct audit_state *state, uint64_t source, uint64_t number)
{
	/* Killed in between, it is counted twice rather than not at all. */
	store(&state->file->lost, state->file->lost + 1);
	set_taken(state->file, source, number);
}
