#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a command beside a throw-away Kerberos realm: with_kdc.sh COMMAND ...
#
# A real krb5kdc for EXAMPLE.COM and OTHER.TEST (which trust each other)
# listens on a loopback port; nothing is written outside a temporary folder,
# no privilege is needed, nothing is left behind.  The command finds in its
# environment KRB5_CONFIG, KRB5_KDC_PROFILE (so that kadmin.local works),
# KRB5CCNAME, and KDC_DIR with
#   clients.keytab  alice and bob/admin of EXAMPLE.COM, alice of OTHER.TEST;
#                   and carol, whose tickets say how she proved herself
#                   (indicator "spake")
#   gateway.keytab  socks, rcmd and host for gw.example.com
#   old.keytab      socks for old.example.com, which knows nothing but RC4
set -eu
PATH=$PATH:/usr/sbin:/sbin
export PATH

for tool in krb5kdc kadmin.local kdb5_util kinit; do
	command -v $tool >/dev/null || {
		echo "with_kdc.sh: $tool is not installed" >&2
		exit 1
	}
done

KDC_DIR=$(mktemp -d "${TMPDIR:-/tmp}/with-kdc.XXXXXX")
kdc_pid=
finish() {
	status=$?
	[ -z "$kdc_pid" ] || kill "$kdc_pid" 2>/dev/null || :
	[ -z "$kdc_pid" ] || wait "$kdc_pid" 2>/dev/null || :
	rm -rf "$KDC_DIR"
	exit $status
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

KRB5_CONFIG=$KDC_DIR/krb5.conf
KRB5_KDC_PROFILE=$KDC_DIR/kdc.conf
KRB5CCNAME=FILE:$KDC_DIR/ccache
export KDC_DIR KRB5_CONFIG KRB5_KDC_PROFILE KRB5CCNAME
unset KRB5_KTNAME KRB5_CLIENT_KTNAME KRB5RCACHENAME KRB5RCACHETYPE KRB5_TRACE

configure() { # port
	cat >"$KRB5_CONFIG" <<-EOF
	[libdefaults]
		default_realm = EXAMPLE.COM
		dns_lookup_kdc = false
		dns_lookup_realm = false
		dns_canonicalize_hostname = false
		rdns = false
		permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128 arcfour-hmac
		allow_rc4 = true
		allow_weak_crypto = true
		spake_preauth_groups = edwards25519
	[realms]
		EXAMPLE.COM = {
			kdc = 127.0.0.1:$1
		}
		OTHER.TEST = {
			kdc = 127.0.0.1:$1
		}
	[domain_realm]
		.example.com = EXAMPLE.COM
	[logging]
		kdc = FILE:$KDC_DIR/kdc.log
		default = FILE:$KDC_DIR/krb5.log
	EOF
	cat >"$KRB5_KDC_PROFILE" <<-EOF
	[kdcdefaults]
		kdc_listen = 127.0.0.1:$1
		kdc_tcp_listen = 127.0.0.1:$1
	[realms]
		EXAMPLE.COM = {
			database_name = $KDC_DIR/example
			key_stash_file = $KDC_DIR/example.stash
			max_life = 10h
			supported_enctypes = aes256-cts-hmac-sha1-96:normal
			spake_preauth_indicator = spake
		}
		OTHER.TEST = {
			database_name = $KDC_DIR/other
			key_stash_file = $KDC_DIR/other.stash
			max_life = 10h
			supported_enctypes = aes256-cts-hmac-sha1-96:normal
		}
	EOF
}

ask_kadmin() { # realm; commands come on standard input
	kadmin.local -r "$1" >>"$KDC_DIR/kadmin.log" 2>&1
}

make_realms() {
	for realm in EXAMPLE.COM OTHER.TEST; do
		kdb5_util -r $realm create -s -P master >>"$KDC_DIR/kadmin.log" 2>&1
	done
	ask_kadmin EXAMPLE.COM <<-EOF
	addprinc -randkey alice
	addprinc -randkey bob/admin
	addprinc -randkey +requires_preauth carol
	addprinc -randkey socks/gw.example.com
	addprinc -randkey rcmd/gw.example.com
	addprinc -randkey host/gw.example.com
	addprinc -pw between krbtgt/EXAMPLE.COM@OTHER.TEST
	addprinc -randkey -e arcfour-hmac:normal socks/old.example.com
	setstr socks/old.example.com session_enctypes arcfour-hmac
	ktadd -norandkey -k $KDC_DIR/clients.keytab alice bob/admin carol
	ktadd -norandkey -k $KDC_DIR/old.keytab socks/old.example.com
	ktadd -norandkey -k $KDC_DIR/gateway.keytab socks/gw.example.com rcmd/gw.example.com host/gw.example.com
	EOF
	ask_kadmin OTHER.TEST <<-EOF
	addprinc -randkey alice
	addprinc -pw between krbtgt/EXAMPLE.COM@OTHER.TEST
	ktadd -norandkey -k $KDC_DIR/clients.keytab alice
	EOF
}

answers() {
	kinit -k -t "$KDC_DIR/clients.keytab" alice >/dev/null 2>&1
}

# Someone else may have the port: then another is tried.
start() {
	attempt=0
	while [ $attempt -lt 20 ]; do
		attempt=$((attempt + 1))
		configure $((20000 + ($$ * 13 + attempt * 997) % 12000))
		[ -e "$KDC_DIR/gateway.keytab" ] || make_realms
		krb5kdc -n -r EXAMPLE.COM -r OTHER.TEST >>"$KDC_DIR/kdc.out" 2>&1 &
		kdc_pid=$!
		for wait in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			answers && return 0
			kill -0 $kdc_pid 2>/dev/null || break
			sleep 0.1
		done
		kill $kdc_pid 2>/dev/null || :
		wait $kdc_pid 2>/dev/null || :
		kdc_pid=
	done
	echo "with_kdc.sh: krb5kdc does not start" >&2
	cat "$KDC_DIR"/*.log "$KDC_DIR/kdc.out" >&2
	exit 1
}

start
"$@"
