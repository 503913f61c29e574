# SPDX-License-Identifier: ISC
# What ./demo and ./check share; sourced from the project's root.
# shellcheck shell=sh

umask 022
LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL CFLAGS LDFLAGS CPPFLAGS CC
PYTHONDONTWRITEBYTECODE=1
export LC_ALL PYTHONDONTWRITEBYTECODE
PATH=$PATH:/usr/sbin:/sbin
export PATH

logs=build/log
jobs=$(getconf _NPROCESSORS_ONLN)
running=
proc_is_ours=

as_root()
{
	if test "$(id -u)" = 0; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# Better to hear now than after an hour that some tests have failed.  In a
# session of its own sudo has no terminal to ask for a password at.
need_root()
{
	test "$(id -u)" = 0 && return
	run sudo -n true 2>/dev/null && return
	echo "Run it as root, or as a user whom sudo asks for no password." >&2
	return 1
}

# In a bare chroot nobody has mounted it; the lab looks there for its
# programs.
need_proc()
{
	test -e /proc/self/stat && return
	as_root mount -t proc proc /proc
	proc_is_ours=yes
}

tidy_up()
{
	if test -n "$running"; then
		kill -s TERM -- "-$running"
		wait "$running"
	fi
	test -z "$proc_is_ours" || as_root umount /proc
	proc_is_ours=
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# In a session of its own, so that tidy_up can end all of it.
run()
{
	setsid "$@" &
	running=$!
	wait "$running" && status=0 || status=$?
	running=
	return "$status"
}

# The end of a log, for people.
show_log()
{
	echo "    ... the end of $1:"
	tail -n "${2:-40}" "$1" | sed 's/^/    /'
}
