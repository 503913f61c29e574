/* SPDX-License-Identifier: ISC */
/*
 * A PAM module that behaves as badly as the user's name says ("sleep=60",
 * "crash"); to any other name it is an honest module whose password is
 * "secret".
 *
 * The argument folder=PATH says where "linger" leaves the pid of what it left
 * behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#define RIGHT_PASSWORD "secret"
#define FILLING	       (4 * 1024 * 1024)

struct call {
	pam_handle_t *pam;
	const char *folder;
	const char *value; /* behind "=" in the user's name; else "" */
};

static int
number(const struct call *call)
{
	return (int)strtol(call->value, NULL, 10);
}

static int
talk(const struct call *call, const struct pam_message *messages, int count,
    struct pam_response **responses)
{
	const struct pam_message *list[128];
	const void *item = NULL;
	const struct pam_conv *conversation;

	for (int i = 0; i < count; i++)
		list[i] = &messages[i];
	if (pam_get_item(call->pam, PAM_CONV, &item) != PAM_SUCCESS ||
	    item == NULL)
		return PAM_SYSTEM_ERR;
	conversation = item;
	return conversation->conv(
	    count, list, responses, conversation->appdata_ptr);
}

static int
say(const struct call *call, const char *text)
{
	const struct pam_message message = {PAM_TEXT_INFO, text};
	struct pam_response *response = NULL;
	int status = talk(call, &message, 1, &response);

	free(response);
	return status;
}

static int
prompt(const struct call *call, int style)
{
	const struct pam_message message = {style, "Password: "};
	struct pam_response *response = NULL;
	int status = talk(call, &message, 1, &response);

	if (status != PAM_SUCCESS)
		return status;
	if (response == NULL || response->resp == NULL)
		return PAM_SYSTEM_ERR;
	status = strcmp(response->resp, RIGHT_PASSWORD) == 0 ? PAM_SUCCESS
							     : PAM_AUTH_ERR;
	free(response->resp);
	free(response);
	return status;
}

static int
honest(struct call *call)
{
	return prompt(call, PAM_PROMPT_ECHO_OFF);
}

/* ---- what it asks and says ---- */

static int
ask_twice(struct call *call)
{
	int status = honest(call);

	return status == PAM_SUCCESS ? honest(call) : status;
}

/* Both in one call; the conversation gives neither. */
static int
ask_two(struct call *call)
{
	const struct pam_message messages[] = {
	    {PAM_PROMPT_ECHO_OFF, "Password: "},
	    {PAM_PROMPT_ECHO_OFF, "New: "}};
	struct pam_response *responses = NULL;

	return talk(call, messages, 2, &responses);
}

static int
ask_visibly(struct call *call)
{
	return prompt(call, PAM_PROMPT_ECHO_ON);
}

static int
ask_oddly(struct call *call)
{
	return prompt(call, 77);
}

static int
say_much(struct call *call)
{
	for (int i = number(call); i > 0; i--) {
		int status = say(call, "line\nfeed \x1b[31mred");

		if (status != PAM_SUCCESS)
			return status;
	}
	return honest(call);
}

static int
say_at_once(struct call *call)
{
	static struct pam_message messages[100];
	struct pam_response *responses = NULL;
	int count = number(call);

	for (int i = 0; i < count; i++)
		messages[i] = (struct pam_message){PAM_TEXT_INFO, "much"};
	return talk(call, messages, count, &responses);
}

/* ---- what it does to its process ---- */

static int
sleep_long(struct call *call)
{
	(void)sleep((unsigned)number(call));
	return honest(call);
}

static int
crash(struct call *call)
{
	(void)call;
	(void)raise(SIGSEGV);
	return PAM_SUCCESS;
}

static int
end(struct call *call)
{
	exit(number(call));
}

/* The parent and the session of what is left behind are gone. */
static int
linger(struct call *call)
{
	char path[512];
	pid_t pid = fork();

	if (pid == 0) {
		FILE *file;

		(void)setsid();
		if (fork() != 0)
			_exit(0);
		(void)snprintf(path, sizeof(path), "%s/linger", call->folder);
		file = fopen(path, "w");
		if (file != NULL) {
			(void)fprintf(file, "%d\n", (int)getpid());
			(void)fclose(file);
		}
		(void)sleep(60);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
	return honest(call);
}

/* One that stays in the group, and holds all descriptors. */
static int
bear(struct call *call)
{
	if (fork() == 0) {
		(void)sleep(60);
		_exit(0);
	}
	return honest(call);
}

static int
fill(struct call *call)
{
	static char much[FILLING];

	memset(much, 'x', sizeof(much));
	(void)!write(STDOUT_FILENO, much, sizeof(much));
	(void)!write(STDERR_FILENO, much, sizeof(much));
	(void)puts("stdout");
	return honest(call);
}

static int
leak(struct call *call)
{
	for (int i = 0; i < 200; i++)
		(void)open("/dev/null", O_RDWR);
	return honest(call);
}

static int
scribble(struct call *call)
{
	for (int fd = 0; fd < 1024; fd++)
		(void)!write(fd, "garbage", 7);
	return honest(call);
}

static int
mess(struct call *call)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct rlimit little = {16, 16};

	(void)!chdir("/tmp");
	(void)umask(0);
	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("LC_ALL", "C.UTF-8", 1);
	(void)setenv("PATH", "/nowhere", 1);
	for (int i = 1; i < 32; i++)
		(void)sigaction(i, &ignore, NULL);
	(void)setrlimit(RLIMIT_NOFILE, &little);
	(void)alarm(1000);
	(void)!nice(5);
	return honest(call);
}

static bool
is_default(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_DFL;
}

/* Is the process as it should be? */
static int
inspect(struct call *call)
{
	char cwd[64];
	struct stat null, input;
	mode_t mask = umask(077);
	sigset_t blocked;
	const char *wrong = NULL;
	int open_fds = 0;

	for (int fd = 0; fd < 1024; fd++)
		open_fds += fcntl(fd, F_GETFD) >= 0;
	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/") != 0)
		wrong = "cwd";
	else if (mask != 077)
		wrong = "umask";
	else if (strcmp(setlocale(LC_ALL, NULL), "C") != 0 ||
		 getenv("LC_ALL") != NULL)
		wrong = "locale";
	else if (!is_default(SIGCHLD) || !is_default(SIGTERM) ||
		 !is_default(SIGHUP) || sigismember(&blocked, SIGCHLD) != 0)
		wrong = "signals";
	/* 0 to 2 are nothing, 3 is the answer's. */
	else if (open_fds != 4)
		wrong = "descriptors";
	else if (stat("/dev/null", &null) < 0 || fstat(0, &input) < 0 ||
		 null.st_rdev != input.st_rdev)
		wrong = "input";
	else if (getsid(0) != getpid())
		wrong = "session";
	else if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		wrong = "dumpable";
	else if (alarm(0) != 0)
		wrong = "alarm";
	if (wrong == NULL)
		return honest(call);
	(void)say(call, wrong);
	return PAM_SYSTEM_ERR;
}

/* ---- what it does to PAM ---- */

static int
change_user(struct call *call)
{
	(void)pam_set_item(call->pam, PAM_USER, call->value);
	return honest(call);
}

static int
delay(struct call *call)
{
	(void)pam_fail_delay(call->pam, 60000000);
	return PAM_AUTH_ERR;
}

static void
sleep_at_the_end(pam_handle_t *pam, void *data, int status)
{
	(void)pam;
	(void)data;
	(void)status;
	(void)sleep(60);
}

static int
end_slowly(struct call *call)
{
	static char data;

	(void)pam_set_data(call->pam, "hostile", &data, sleep_at_the_end);
	return honest(call);
}

/* The items that the application is to set. */
static int
look_at_items(struct call *call)
{
	static const struct {
		int item;
		const char *value;
	} wanted[] = {{PAM_RHOST, "192.0.2.1"}, {PAM_TTY, "gatewarden"},
	    {PAM_RUSER, "gatewarden"}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const void *item = NULL;

		if (pam_get_item(call->pam, wanted[i].item, &item) !=
			PAM_SUCCESS ||
		    item == NULL || strcmp(item, wanted[i].value) != 0)
			return PAM_SYSTEM_ERR;
	}
	return honest(call);
}

static int
end_with(struct call *call)
{
	return number(call);
}

/* ---- */

static const struct {
	const char *name;
	int (*act)(struct call *call);
} acts[] = {
    {"twice", ask_twice},
    {"two", ask_two},
    {"visible", ask_visibly},
    {"odd", ask_oddly},
    {"says", say_much},
    {"at-once", say_at_once},
    {"sleep", sleep_long},
    {"crash", crash},
    {"exit", end},
    {"linger", linger},
    {"bear", bear},
    {"fill", fill},
    {"leak", leak},
    {"scribble", scribble},
    {"mess", mess},
    {"inspect", inspect},
    {"become", change_user},
    {"delay", delay},
    {"end-slowly", end_slowly},
    {"items", look_at_items},
    {"auth", end_with},
};

static bool
is_called(const char *user, const char *name, const char **value)
{
	size_t len = strlen(name);

	if (strncmp(user, name, len) != 0 ||
	    (user[len] != '\0' && user[len] != '='))
		return false;
	*value = user[len] == '=' ? user + len + 1 : "";
	return true;
}

int
pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	struct call call = {.pam = pam, .folder = "/nowhere"};
	const char *user = NULL;

	if (argc > 0 && strncmp(argv[0], "folder=", 7) == 0)
		call.folder = argv[0] + 7;
	if ((flags & PAM_SILENT) == 0 ||
	    (flags & PAM_DISALLOW_NULL_AUTHTOK) == 0 ||
	    pam_get_user(pam, &user, NULL) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (is_called(user, acts[i].name, &call.value))
			return acts[i].act(&call);
	}
	return honest(&call);
}

int
pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

/* "account=7" ends with 7. */
int
pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	struct call call = {.pam = pam};
	const char *user = NULL;

	(void)argc;
	(void)argv;
	if ((flags & PAM_SILENT) == 0 ||
	    pam_get_user(pam, &user, NULL) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	return is_called(user, "account", &call.value) ? end_with(&call)
						       : PAM_SUCCESS;
}
