/* SPDX-License-Identifier: ISC */
/* The settings file, read by libconfuse and driven by settings.def. */
#include "gateway/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

#include "base/must.h"
#include "base/text.h"
#include "gateway/settings_private.h"
#include "gateway/settings_scan.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define LISTENER       "listener"

enum row_type { TYPE_NUMBER, TYPE_BOOL, TYPE_TEXT, TYPE_LIST };
enum { LIVE, START }; /* when a change takes effect */

struct row {
	const char *section, *name;
	enum row_type type;
	int reload;
	size_t offset;	   /* of the member */
	const char *value; /* the default, as written in a file */
	uint64_t min, max;
};

static const struct row rows[SETTINGS_ROW_COUNT] = {
#define S(section, name, type, member, value, min, max, reload, sentence)      \
	{#section, #name, TYPE_##type, reload,                                 \
	    offsetof(struct settings, member), value, min, max},
#define L(name, type, member, value, min, max, sentence)
#include "gateway/settings.def"
#undef S
};

static const struct row listener_rows[SETTINGS_LISTENER_ROW_COUNT] = {
#define S(section, name, type, member, value, min, max, reload, sentence)
#define L(name, type, member, value, min, max, sentence)                       \
	{LISTENER, #name, TYPE_##type, LIVE,                                   \
	    offsetof(struct listener_settings, member), value, min, max},
#include "gateway/settings.def"
#undef S
};

struct held_settings {
	struct settings settings; /* first: the two have one address */
	atomic_uint references;
};

/* Where something was written. */
struct place {
	const char *file; /* borrowed; NULL: nowhere, it is the default */
	unsigned line;
	bool reported;
};

struct listener_places {
	char name[LISTENER_NAME_SIZE];
	struct place begun;
	struct place rows[SETTINGS_LISTENER_ROW_COUNT];
};

/* One load, possibly of several files. */
struct load {
	FILE *errors;
	bool failed;
	bool cut; /* libconfuse did not come to the end of a file */
	cfg_t *cfg;
	const char *first_file, *file;		   /* file: being read */
	struct place sections[SETTINGS_ROW_COUNT]; /* at its first row */
	struct place rows[SETTINGS_ROW_COUNT];
	size_t listener_count;
	struct listener_places *listeners;
	/* The section being read; of a listener, its last. */
	const char *section;
};

/* Errors */

static void printf_like(4, 0) report_va(struct load *load, const char *file,
    unsigned line, const char *format, va_list args)
{
	load->failed = true;
	(void)fprintf(load->errors, "%s:%u: ", file, line);
	(void)vfprintf(load->errors, format, args);
	(void)fputc('\n', load->errors);
}

static void printf_like(4, 5) report(
    struct load *load, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_va(load, file, line, format, args);
	va_end(args);
}

static void printf_like(5, 0)
    report_row_va(struct load *load, struct place *place, const struct row *row,
	const struct place *otherwise, const char *format, va_list args)
{
	const struct place *at = place->file != NULL ? place : otherwise;
	char text[1024];

	if (place->reported)
		return;
	place->reported = true;
	(void)vsnprintf(text, sizeof(text), format, args);
	report(load, at != NULL ? at->file : load->first_file,
	    at != NULL ? at->line : 1, "%s.%s: %s", row->section, row->name,
	    text);
}

static void printf_like(3, 4)
    report_setting(void *arg, enum settings_row row, const char *format, ...)
{
	struct load *load = arg;
	va_list args;

	va_start(args, format);
	report_row_va(load, &load->rows[row], &rows[row], NULL, format, args);
	va_end(args);
}

static void printf_like(4, 5) report_listener(void *arg, size_t listener,
    enum settings_listener_row row, const char *format, ...)
{
	struct load *load = arg;
	struct listener_places *places = &load->listeners[listener];
	va_list args;

	va_start(args, format);
	report_row_va(load, &places->rows[row], &listener_rows[row],
	    &places->begun, format, args);
	va_end(args);
}

static void printf_like(2, 3) report_missing(void *arg, const char *format, ...)
{
	struct load *load = arg;
	va_list args;

	va_start(args, format);
	report_va(load, load->first_file, 1, format, args);
	va_end(args);
}

static void printf_like(3, 4)
    scan_error(void *arg, unsigned line, const char *format, ...)
{
	struct load *load = arg;
	va_list args;

	va_start(args, format);
	report_va(load, load->file, line, format, args);
	va_end(args);
}

/* The scanner has said all that libconfuse could say. */
static void
    printf_like(2, 0) ignore_error(cfg_t *cfg, const char *format, va_list args)
{
	(void)cfg;
	(void)format;
	(void)args;
}

/* The table */

static size_t
find_section(const char *section)
{
	size_t i;

	for (i = 0; i < ARRAY_COUNT(rows); i++)
		if (strcmp(rows[i].section, section) == 0)
			break;
	return i;
}

static size_t
find_row(const struct row *table, size_t count, const char *section,
    const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(table[i].section, section) == 0 &&
		    strcmp(table[i].name, name) == 0)
			break;
	return i;
}

static struct place *
find_setting(struct load *load, const char *name)
{
	size_t i;

	if (strcmp(load->section, LISTENER) == 0) {
		struct listener_places *last =
		    &load->listeners[load->listener_count - 1];

		i = find_row(
		    listener_rows, ARRAY_COUNT(listener_rows), LISTENER, name);
		return i < ARRAY_COUNT(listener_rows) ? &last->rows[i] : NULL;
	}
	i = find_row(rows, ARRAY_COUNT(rows), load->section, name);
	return i < ARRAY_COUNT(rows) ? &load->rows[i] : NULL;
}

static bool
is_list_row(const struct load *load, const char *name)
{
	size_t i;

	if (strcmp(load->section, LISTENER) == 0) {
		i = find_row(
		    listener_rows, ARRAY_COUNT(listener_rows), LISTENER, name);
		return listener_rows[i].type == TYPE_LIST;
	}
	i = find_row(rows, ARRAY_COUNT(rows), load->section, name);
	return rows[i].type == TYPE_LIST;
}

/* What the scanner asks */

static bool
on_has_section(void *arg, const char *section, bool *titled)
{
	(void)arg;
	*titled = strcmp(section, LISTENER) == 0;
	return *titled || find_section(section) < ARRAY_COUNT(rows);
}

static bool
is_listener_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < LISTENER_NAME_SIZE &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789._-")] ==
		   '\0';
}

static bool
begin_listener(struct load *load, const char *name, unsigned line)
{
	struct listener_places *places;

	if (!is_listener_name(name)) {
		report(load, load->file, line,
		    "listener: its name may be 1 to %d letters, digits and "
		    "._-",
		    LISTENER_NAME_SIZE - 1);
		return false;
	}
	for (size_t i = 0; i < load->listener_count; i++) {
		const struct place *begun = &load->listeners[i].begun;

		if (strcmp(load->listeners[i].name, name) == 0) {
			report(load, load->file, line,
			    "listener %s: there is one in %s:%u already; "
			    "each has a name of its own",
			    name, begun->file, begun->line);
			return false;
		}
	}
	places = reallocarray(load->listeners, load->listener_count + 1,
	    sizeof(*load->listeners));
	if (places == NULL)
		die("no memory for the settings");
	load->listeners = places;
	places += load->listener_count++;
	memset(places, 0, sizeof(*places));
	(void)snprintf(places->name, sizeof(places->name), "%s", name);
	places->begun = (struct place){.file = load->file, .line = line};
	return true;
}

static bool
on_section(void *arg, const char *section, const char *title, unsigned line)
{
	struct load *load = arg;
	struct place *begun;

	if (title != NULL) {
		load->section = LISTENER;
		return begin_listener(load, title, line);
	}
	begun = &load->sections[find_section(section)];
	/* Another file may add to a section, but not the same one. */
	if (begun->file == load->file) {
		report(load, load->file, line,
		    "%s: the section stands in line %u already", section,
		    begun->line);
		return false;
	}
	*begun = (struct place){.file = load->file, .line = line};
	load->section = rows[find_section(section)].section;
	return true;
}

static bool
on_setting(void *arg, const char *name, bool is_list, unsigned line)
{
	struct load *load = arg;
	struct place *place = find_setting(load, name);

	if (place == NULL) {
		report(load, load->file, line, "%s.%s: no such setting",
		    load->section, name);
		return false;
	}
	if (place->file != NULL) {
		report(load, load->file, line, "%s.%s: set in %s:%u already",
		    load->section, name, place->file, place->line);
		return false;
	}
	*place = (struct place){.file = load->file, .line = line};
	if (is_list && !is_list_row(load, name)) {
		place->reported = true;
		report(load, load->file, line,
		    "%s.%s: one value is allowed, not a list", load->section,
		    name);
		return false;
	}
	return true;
}

/* libconfuse's form of the table */

static cfg_opt_t
option_new(const struct row *row)
{
	cfg_opt_t option = {.name = row->name, .type = CFGT_STR};

	if (row->type == TYPE_LIST) {
		option.flags = CFGF_LIST;
		option.def.parsed = must_strdup(row->value);
	} else {
		option.def.string = row->value;
	}
	return option;
}

/* The rows of one section, from `first` on; *count says how many. */
static cfg_opt_t *
options_of(const struct row *first, const struct row *end, size_t *count)
{
	const struct row *row;
	cfg_opt_t *options;

	for (row = first; row < end; row++)
		if (strcmp(row->section, first->section) != 0)
			break;
	*count = (size_t)(row - first);
	options = must_alloc(*count + 1, sizeof(*options));
	for (size_t i = 0; i < *count; i++)
		options[i] = option_new(&first[i]);
	options[*count] = (cfg_opt_t)CFG_END();
	return options;
}

static void
options_drop(cfg_opt_t *options)
{
	for (cfg_opt_t *option = options; option->name != NULL; option++) {
		free(option->def.parsed);
		if (option->subopts != NULL)
			options_drop(option->subopts);
	}
	free(options);
}

static cfg_t *
confuse_new(void)
{
	cfg_opt_t *sections =
	    must_alloc(ARRAY_COUNT(rows) + 2, sizeof(*sections));
	size_t count = 0, in_section;
	cfg_t *cfg;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i += in_section)
		sections[count++] = (cfg_opt_t)CFG_SEC(rows[i].section,
		    options_of(&rows[i], rows + ARRAY_COUNT(rows), &in_section),
		    CFGF_NONE);
	sections[count++] = (cfg_opt_t)CFG_SEC(LISTENER,
	    options_of(listener_rows,
		listener_rows + ARRAY_COUNT(listener_rows), &in_section),
	    CFGF_MULTI | CFGF_TITLE);
	sections[count] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(sections, CFGF_NONE);
	if (cfg == NULL)
		die("no memory for the settings");
	(void)cfg_set_error_function(cfg, ignore_error);
	options_drop(sections);
	return cfg;
}

/* Files */

/* NULL after an error was reported. */
static char *
read_text(struct load *load, int fd, off_t size)
{
	char *text;
	ssize_t got;

	if (size > FILE_MAX_BYTES) {
		report(load, load->file, 1, "the file has more than %d octets",
		    FILE_MAX_BYTES);
		return NULL;
	}
	text = must_alloc((size_t)size + 1, 1);
	got = pread(fd, text, (size_t)size, 0);
	if (got < 0) {
		report(
		    load, load->file, 1, "cannot be read: %s", strerror(errno));
	} else if (memchr(text, '\0', (size_t)got) != NULL) {
		report(load, load->file, 1, "holds an octet 0");
	} else {
		return text;
	}
	free(text);
	return NULL;
}

static void
parse_text(struct load *load, char *text)
{
	const struct settings_scan_names names = {
	    .has_section = on_has_section,
	    .section = on_section,
	    .setting = on_setting,
	    .error = scan_error,
	    .arg = load,
	};
	FILE *stream;
	size_t len;

	settings_scan(text, &names);
	len = strlen(text);
	if (len == 0)
		return;
	stream = fmemopen(text, len, "r");
	if (stream == NULL)
		die("no memory for the settings");
	if (cfg_parse_fp(load->cfg, stream) != CFG_SUCCESS) {
		load->cut = true;
		if (!load->failed)
			report(load, load->file, (unsigned)load->cfg->line,
			    "near this line something is not understood");
	}
	(void)fclose(stream);
}

/* `trusted`: the master's own memory file. */
static void
load_fd(struct load *load, int fd, bool trusted)
{
	struct stat status;
	char *text;

	if (fstat(fd, &status) < 0)
		report(
		    load, load->file, 1, "cannot be read: %s", strerror(errno));
	else if (!S_ISREG(status.st_mode))
		report(load, load->file, 1, "is not a regular file");
	else if (!trusted && (status.st_mode & S_IWOTH) != 0)
		report(load, load->file, 1,
		    "everybody may write to this file; chmod o-w is due");
	else if ((text = read_text(load, fd, status.st_size)) != NULL) {
		parse_text(load, text);
		free(text);
	}
}

static void
load_file(struct load *load, const char *path)
{
	/* Not waiting, should it be a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	load->file = path;
	if (fd < 0) {
		report(load, path, 1, "cannot be opened: %s", strerror(errno));
		return;
	}
	load_fd(load, fd, false);
	(void)close(fd);
}

static int
is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	       strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int
by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *
join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *joined = must_alloc(size, 1);

	(void)snprintf(joined, size, "%s%s%s", a, b, c);
	return joined;
}

/* The paths of the files of `path`.d, which end with NULL; no path at all
 * where there is no such folder. */
static char **
find_folder(struct load *load, const char *path)
{
	char *folder = join(path, ".d", "");
	struct dirent **entries = NULL;
	struct stat status;
	char **paths;
	int count = scandir(folder, &entries, is_conf, by_octets);

	if (count < 0 && errno != ENOENT)
		report(load, folder, 1, "cannot be read: %s", strerror(errno));
	if (count >= 0 && stat(folder, &status) == 0 &&
	    (status.st_mode & S_IWOTH) != 0)
		report(load, folder, 1,
		    "everybody may write to this folder; chmod o-w is due");
	paths = must_alloc(count > 0 ? (size_t)count + 1 : 1, sizeof(*paths));
	for (int i = 0; i < count; i++) {
		paths[i] = join(folder, "/", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return paths;
}

/* From libconfuse's texts to ours */

static const char *
quoted(const char *text)
{
	static _Thread_local char out[TEXT_QUOTED_SIZE(64)];
	size_t len = strlen(text);

	(void)text_quote(out, sizeof(out), text, len < 64 ? len : 64);
	return out;
}

static void
list_fini(struct settings_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->texts[i]);
	free(list->texts);
}

/* Why a text is none that a setting may have, or NULL. */
static const char *
text_why(const char *text)
{
	return text_is_utf8(text, strlen(text)) ? NULL : "is not UTF-8";
}

static bool
take_number(const struct row *row, const char *text, uint64_t *number,
    char *why, size_t size)
{
	if (text_parse_u64(text, row->min, row->max, number))
		return true;
	(void)snprintf(why, size,
	    "\"%s\" is not a number from %" PRIu64 " to %" PRIu64
	    " (decimal, without leading zeros)",
	    quoted(text), row->min, row->max);
	return false;
}

static bool
take_bool(const char *text, bool *value, char *why, size_t size)
{
	*value = strcmp(text, "true") == 0;
	if (*value || strcmp(text, "false") == 0)
		return true;
	(void)snprintf(
	    why, size, "\"%s\" is neither true nor false", quoted(text));
	return false;
}

static bool
take_text(const struct row *row, const char *text, char **value, char *why,
    size_t size)
{
	size_t len = strlen(text);

	if (len < row->min || len > row->max) {
		(void)snprintf(why, size,
		    "\"%s\" has %zu octets; %" PRIu64 " to %" PRIu64
		    " are allowed",
		    quoted(text), len, row->min, row->max);
		return false;
	}
	if (text_why(text) != NULL) {
		(void)snprintf(
		    why, size, "\"%s\" %s", quoted(text), text_why(text));
		return false;
	}
	*value = must_strdup(text);
	return true;
}

static bool
take_list(const struct row *row, cfg_opt_t *option, struct settings_list *list,
    char *why, size_t size)
{
	unsigned count = cfg_opt_size(option);

	if (count < row->min || count > row->max) {
		(void)snprintf(why, size,
		    "has %u values; %" PRIu64 " to %" PRIu64 " are allowed",
		    count, row->min, row->max);
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		const char *text = cfg_opt_getnstr(option, i);

		if (*text != '\0' && text_why(text) == NULL)
			continue;
		(void)snprintf(why, size, "value %u, \"%s\", %s", i + 1,
		    quoted(text), *text == '\0' ? "is empty" : text_why(text));
		return false;
	}
	list->texts = must_alloc(count + 1, sizeof(*list->texts));
	list->count = count;
	for (unsigned i = 0; i < count; i++)
		list->texts[i] = must_strdup(cfg_opt_getnstr(option, i));
	return true;
}

/* False with the reason in why; the member is then left alone or zero. */
static bool
take_row(const struct row *row, cfg_opt_t *option, void *base, char *why,
    size_t size)
{
	void *member = (char *)base + row->offset;
	const char *text =
	    row->type == TYPE_LIST ? NULL : cfg_opt_getnstr(option, 0);

	switch (row->type) {
	case TYPE_NUMBER:
		return take_number(row, text, member, why, size);
	case TYPE_BOOL:
		return take_bool(text, member, why, size);
	case TYPE_TEXT:
		return take_text(row, text, member, why, size);
	case TYPE_LIST:
		return take_list(row, option, member, why, size);
	}
	return false;
}

/* A text is never NULL, not even one that was refused. */
static void
fill_text(const struct row *row, void *base)
{
	char **text = (void *)((char *)base + row->offset);

	if (row->type == TYPE_TEXT && *text == NULL)
		*text = must_strdup("");
}

static void
take_settings(struct load *load, struct settings *settings)
{
	char why[512];

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		cfg_t *section = cfg_getsec(load->cfg, rows[i].section);

		if (!take_row(&rows[i], cfg_getopt(section, rows[i].name),
			settings, why, sizeof(why)))
			report_setting(load, (enum settings_row)i, "%s", why);
		fill_text(&rows[i], settings);
	}
}

/* What is wrong with the files themselves is found later, by others. */
static void
take_tls_places(
    struct listener_settings *listener, const struct listener_places *places)
{
	static const enum settings_listener_row tls_rows[TLS_FILE_COUNT] = {
	    [TLS_CERTIFICATE] = SETTINGS_LISTENER_ROW_tls_certificate,
	    [TLS_KEY] = SETTINGS_LISTENER_ROW_tls_key,
	    [TLS_CLIENT_CA] = SETTINGS_LISTENER_ROW_tls_client_ca,
	};

	for (size_t i = 0; i < TLS_FILE_COUNT; i++) {
		const struct place *place = &places->rows[tls_rows[i]];

		if (place->file != NULL &&
		    asprintf(&listener->tls_places[i], "%s:%u", place->file,
			place->line) < 0)
			die("no memory for the settings");
	}
}

static void
take_listener(struct load *load, struct settings *settings, size_t n)
{
	struct listener_settings *listener = &settings->listeners[n];
	cfg_t *section =
	    cfg_gettsec(load->cfg, LISTENER, load->listeners[n].name);
	char why[512];

	memcpy(listener->name, load->listeners[n].name, sizeof(listener->name));
	for (size_t i = 0; i < ARRAY_COUNT(listener_rows); i++) {
		const struct row *row = &listener_rows[i];

		/* NULL: libconfuse did not get to it. */
		if (section != NULL &&
		    !take_row(row, cfg_getopt(section, row->name), listener,
			why, sizeof(why)))
			report_listener(
			    load, n, (enum settings_listener_row)i, "%s", why);
		fill_text(row, listener);
	}
	take_tls_places(listener, &load->listeners[n]);
}

static struct settings *
settings_take(struct load *load)
{
	struct held_settings *held = must_alloc(1, sizeof(*held));
	struct settings *settings = &held->settings;
	const struct settings_reporter reporter = {
	    .setting = report_setting,
	    .listener = report_listener,
	    .missing = report_missing,
	    .arg = load,
	};

	atomic_init(&held->references, 1);
	settings->listener_count = load->listener_count;
	settings->listeners =
	    must_alloc(load->listener_count + 1, sizeof(*settings->listeners));
	take_settings(load, settings);
	for (size_t i = 0; i < load->listener_count; i++)
		take_listener(load, settings, i);
	/* Settings that were not read are not missing. */
	if (!load->cut)
		settings_check(settings, &reporter);
	if (!load->failed)
		return settings;
	settings_unref(settings);
	return NULL;
}

/* The outside */

struct settings *
settings_load(const char *path, FILE *errors)
{
	struct load load = {
	    .errors = errors, .first_file = path, .cfg = confuse_new()};
	char **folder = find_folder(&load, path);
	struct settings *settings;

	load_file(&load, path);
	for (char **file = folder; *file != NULL; file++)
		load_file(&load, *file);
	settings = settings_take(&load);
	for (char **file = folder; *file != NULL; file++)
		free(*file);
	free(folder);
	free(load.listeners);
	(void)cfg_free(load.cfg);
	return settings;
}

struct settings *
settings_load_fd(int fd, const char *called, FILE *errors)
{
	struct load load = {
	    .errors = errors, .first_file = called, .cfg = confuse_new()};
	struct settings *settings;

	load.file = called;
	load_fd(&load, fd, true);
	settings = settings_take(&load);
	free(load.listeners);
	(void)cfg_free(load.cfg);
	return settings;
}

static void
print_text(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (strchr("\"\\$", *text) != NULL)
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void
print_list(const struct settings_list *list, FILE *out)
{
	(void)fputc('{', out);
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			(void)fputs(", ", out);
		print_text(list->texts[i], out);
	}
	(void)fputc('}', out);
}

static void
print_row(const struct row *row, const void *base, FILE *out)
{
	const void *member = (const char *)base + row->offset;

	(void)fprintf(out, "\t%s = ", row->name);
	switch (row->type) {
	case TYPE_NUMBER:
		(void)fprintf(out, "%" PRIu64, *(const uint64_t *)member);
		break;
	case TYPE_BOOL:
		(void)fputs(*(const bool *)member ? "true" : "false", out);
		break;
	case TYPE_TEXT:
		print_text(*(char *const *)member, out);
		break;
	case TYPE_LIST:
		print_list(member, out);
		break;
	}
	(void)fputc('\n', out);
}

void
settings_print(const struct settings *settings, FILE *out)
{
	const char *section = NULL;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (section == NULL || strcmp(section, rows[i].section) != 0)
			(void)fprintf(out, "%s%s {\n",
			    section != NULL ? "}\n" : "", rows[i].section);
		section = rows[i].section;
		print_row(&rows[i], settings, out);
	}
	(void)fputs("}\n", out);
	for (size_t n = 0; n < settings->listener_count; n++) {
		const struct listener_settings *listener =
		    &settings->listeners[n];

		(void)fprintf(out, "%s %s {\n", LISTENER, listener->name);
		for (size_t i = 0; i < ARRAY_COUNT(listener_rows); i++)
			print_row(&listener_rows[i], listener, out);
		(void)fputs("}\n", out);
	}
}

bool
settings_networks_have(
    const struct settings_networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->count; i++)
		if (network_has(&networks->networks[i], address))
			return true;
	return false;
}

bool
settings_check_accounts(const struct settings *settings)
{
	return *settings->account_filter != '\0' || settings->require_entry;
}

uint16_t *
settings_ports(const struct settings *settings)
{
	uint16_t *ports =
	    must_alloc(settings->listener_count + 1, sizeof(*ports));

	for (size_t i = 0; i < settings->listener_count; i++)
		ports[i] = settings->listeners[i].bind.port;
	return ports;
}

const char *
settings_tls_path(const struct listener_settings *listener, enum tls_file file)
{
	const char *const paths[TLS_FILE_COUNT] = {
	    [TLS_CERTIFICATE] = listener->tls_certificate,
	    [TLS_KEY] = listener->tls_key,
	    [TLS_CLIENT_CA] = listener->tls_client_ca,
	};

	return paths[file];
}

static bool
is_same_list(const struct settings_list *a, const struct settings_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->texts[i], b->texts[i]) != 0)
			return false;
	return true;
}

static bool
is_same_row(const struct row *row, const void *a, const void *b)
{
	a = (const char *)a + row->offset;
	b = (const char *)b + row->offset;
	switch (row->type) {
	case TYPE_NUMBER:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case TYPE_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case TYPE_TEXT:
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	case TYPE_LIST:
		return is_same_list(a, b);
	}
	return false;
}

const char *
settings_restart_needed(const struct settings *now, const struct settings *next)
{
	static const char *const names[SETTINGS_ROW_COUNT] = {
#define S(section, name, type, member, value, min, max, reload, sentence)      \
#	section "." #	     name,
#define L(name, type, member, value, min, max, sentence)
#include "gateway/settings.def"
#undef S
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (rows[i].reload == START &&
		    !is_same_row(&rows[i], now, next))
			return names[i];
	return NULL;
}

static struct held_settings *
held(struct settings *settings)
{
	return (struct held_settings *)(void *)settings;
}

struct settings *
settings_ref(struct settings *settings)
{
	atomic_fetch_add(&held(settings)->references, 1);
	return settings;
}

static void
row_fini(const struct row *row, void *base)
{
	void *member = (char *)base + row->offset;

	if (row->type == TYPE_TEXT)
		free(*(char **)member);
	else if (row->type == TYPE_LIST)
		list_fini(member);
}

void
settings_unref(struct settings *settings)
{
	if (settings == NULL ||
	    atomic_fetch_sub(&held(settings)->references, 1) > 1)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		row_fini(&rows[i], settings);
	for (size_t n = 0; n < settings->listener_count; n++) {
		for (size_t i = 0; i < ARRAY_COUNT(listener_rows); i++)
			row_fini(&listener_rows[i], &settings->listeners[n]);
		for (size_t i = 0; i < TLS_FILE_COUNT; i++)
			free(settings->listeners[n].tls_places[i]);
	}
	free(settings->listeners);
	free(held(settings));
}
