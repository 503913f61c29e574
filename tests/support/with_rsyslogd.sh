#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a command beside a real rsyslogd of its own: with_rsyslogd.sh COMMAND...
#
# The command finds in its environment
#   RSYSLOG_UNIX    a Unix socket that takes RFC 5424
#   RSYSLOG_DEVLOG  a Unix socket with the default parser, as /dev/log
#   RSYSLOG_TCP     address:port of TCP with octet counting
#   RSYSLOG_OUT     the file of what was received, one line of JSON a message,
#                   with what mmpstrucdata made of the structured data
#   RSYSLOG_PID     the daemon's process id
# and gets the daemon's end when it has ended.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
modules=/usr/lib/x86_64-linux-gnu/rsyslog
[ -d "$modules" ] || modules=$(dirname "$(find /usr/lib /usr/lib64 \
    -name mmpstrucdata.so 2>/dev/null | head -n 1)")
dir=$(mktemp -d "${TMPDIR:-/tmp}/rsyslog.XXXXXX")
daemon=
finish() {
	[ -z "$daemon" ] || kill -CONT "$daemon" 2>/dev/null || :
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || :
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

cat > "$dir/rsyslog.conf" <<CONF
global(workDirectory="$dir" maxMessageSize="8k")
module(load="$modules/imuxsock" SysSock.Use="off")
module(load="$modules/imtcp")
module(load="$modules/mmpstrucdata")
input(type="imuxsock" Socket="$dir/unix" UseSpecialParser="off"
    ParseHostname="on" IgnoreTimestamp="off" Ruleset="all")
input(type="imuxsock" Socket="$dir/devlog" Ruleset="all")
input(type="imtcp" Port="0" Address="127.0.0.1"
    ListenPortFileName="$dir/port" Ruleset="all")
template(name="line" type="list") {
    constant(value="{")
    property(outname="pri" name="pri" format="jsonf")
    constant(value=", ")
    property(outname="time" name="timereported" dateFormat="rfc3339"
	format="jsonf")
    constant(value=", ")
    property(outname="host" name="hostname" format="jsonf")
    constant(value=", ")
    property(outname="tag" name="syslogtag" format="jsonf")
    constant(value=", ")
    property(outname="procid" name="procid" format="jsonf")
    constant(value=", ")
    property(outname="msgid" name="msgid" format="jsonf")
    constant(value=", ")
    property(outname="msg" name="msg" format="jsonf")
    constant(value=", \"data\": [")
    property(name="\$!rfc5424-sd")
    constant(value="]}\n")
}
ruleset(name="all") {
    action(type="mmpstrucdata")
    action(type="omfile" file="$dir/out" template="line" flushOnTXEnd="on"
	asyncWriting="off")
}
CONF
rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/pid" > "$dir/log" 2>&1 &
daemon=$!
tries=0
until [ -S "$dir/unix" ] && [ -S "$dir/devlog" ] && [ -s "$dir/port" ]; do
	tries=$((tries + 1))
	if [ "$tries" -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
		echo "rsyslogd does not start:" >&2
		cat "$dir/log" >&2
		exit 1
	fi
	sleep 0.1
done
RSYSLOG_UNIX=$dir/unix
RSYSLOG_DEVLOG=$dir/devlog
RSYSLOG_TCP=127.0.0.1:$(cat "$dir/port")
RSYSLOG_OUT=$dir/out
RSYSLOG_PID=$daemon
export RSYSLOG_UNIX RSYSLOG_DEVLOG RSYSLOG_TCP RSYSLOG_OUT RSYSLOG_PID
"$@"
