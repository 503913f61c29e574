#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a command beside throw-away directories: with_slapd.sh COMMAND ...
#
# Real slapds listen on loopback addresses; nothing is written outside a
# temporary folder, no privilege is needed, nothing is left behind.  The
# command finds in its environment
#   SLAPD_DIR   ca.pem; unknown.pem, which signed nothing; slapd.log, with
#               each search; run, which starts the first slapd again
#   SLAPD_PID   the first slapd, to be stopped or killed
#   SLAPD_PORT  for ldap://, the next one is for ldaps://, of
#     127.0.0.1  the directory: people, groups, rules, followed by syncrepl;
#                and dc=mute, which cannot be followed
#     127.0.0.2  does not know StartTLS
#     127.0.0.3  has a certificate for another address
#     127.0.0.4  has an expired certificate
#     127.0.0.5  has one that another CA signed
#     127.0.0.6  has one that names it in its subject alone
#   LDAPI_URI   the directory, locally
# Below with_kdc.sh the directory takes tickets for ldap/127.0.0.1, and
# directory.keytab has gatewarden/gw.example.com behind another principal.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export PATH

schema=$(dirname "$0")/../../schema/gatewarden.ldif
for tool in slapd slapadd openssl; do
	command -v $tool >/dev/null || {
		echo "with_slapd.sh: $tool is not installed" >&2
		exit 1
	}
done

SLAPD_DIR=$(mktemp -d "${TMPDIR:-/tmp}/with-slapd.XXXXXX")
pids=
finish() {
	status=$?
	for pid in $pids; do
		kill -CONT "$pid" 2>/dev/null || :
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	rm -rf "$SLAPD_DIR"
	exit $status
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
export SLAPD_DIR SLAPD_PID SLAPD_PORT LDAPI_URI

# ---- certificates

new_key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
make_ca() { # name
	openssl req -x509 $new_key -keyout "$1.key" -out "$1.pem" -days 2 \
		-subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign
}

make_certificate() { # name, CA, validity, extensions
	openssl req -new $new_key -keyout "$1.key" -out "$1.csr" \
		-subj "/CN=${5:-$1}"
	printf '%s\n' "$4" >"$1.ext"
	# shellcheck disable=SC2086
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" \
		-CAcreateserial -out "$1.pem" -extfile "$1.ext" $3
}

make_certificates() {
	cd "$SLAPD_DIR"
	make_ca ca
	make_ca unknown
	make_certificate good ca '-days 2' subjectAltName=IP:127.0.0.1
	make_certificate other ca '-days 2' subjectAltName=IP:127.0.0.99
	make_certificate expired ca '-days -1' subjectAltName=IP:127.0.0.4
	make_certificate stranger unknown '-days 2' subjectAltName=IP:127.0.0.5
	make_certificate nameless ca '-days 2' basicConstraints=CA:FALSE \
		127.0.0.6
	cd "$OLDPWD"
}

# ---- the directory

write_config() {
	cat >"$SLAPD_DIR/config.ldif" <<-EOF
	dn: cn=config
	objectClass: olcGlobal
	cn: config
	olcTLSCACertificateFile: $SLAPD_DIR/ca.pem
	olcTLSCertificateFile: $SLAPD_DIR/good.pem
	olcTLSCertificateKeyFile: $SLAPD_DIR/good.key
	olcSaslHost: 127.0.0.1
	olcSaslRealm: EXAMPLE.COM
	olcAuthzRegexp: "uid=gatewarden/[^,]*,(cn=[^,]*,)?cn=gssapi,cn=auth" "cn=reader,dc=example,dc=com"

	dn: cn=module{0},cn=config
	objectClass: olcModuleList
	cn: module{0}
	olcModulePath: /usr/lib/ldap
	olcModuleLoad: back_mdb
	olcModuleLoad: ppolicy
	olcModuleLoad: syncprov

	dn: cn=schema,cn=config
	objectClass: olcSchemaConfig
	cn: schema

	include: file:///etc/ldap/schema/core.ldif

	include: file:///etc/ldap/schema/cosine.ldif

	include: file:///etc/ldap/schema/nis.ldif

	include: file://$(realpath "$schema")

	dn: cn=test,cn=schema,cn=config
	objectClass: olcSchemaConfig
	cn: test
	olcAttributeTypes: ( 2.16.840.1.113719.1.301.4.1.1 NAME 'krbPrincipalName' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
	olcAttributeTypes: ( 1.2.840.113556.1.2.102 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
	olcAttributeTypes: ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
	olcAttributeTypes: ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
	olcObjectClasses: ( 1.1.2.1 NAME 'anything' SUP top AUXILIARY MAY ( krbPrincipalName \$ memberOf \$ uid \$ objectSid \$ primaryGroupID ) )

	dn: olcDatabase={1}mdb,cn=config
	objectClass: olcDatabaseConfig
	objectClass: olcMdbConfig
	olcDatabase: {1}mdb
	olcDbDirectory: $SLAPD_DIR/data
	olcDbMaxSize: 104857600
	olcDbNoSync: TRUE
	olcDbIndex: objectClass,member,krbPrincipalName eq
	olcSuffix: dc=example,dc=com
	olcRootDN: cn=admin,dc=example,dc=com
	olcRootPW: admin-secret
	olcLimits: dn.exact="cn=reader,dc=example,dc=com" size.prtotal=unlimited
	olcAccess: to attrs=userPassword by anonymous auth
	olcAccess: to attrs=contextCSN by dn.exact="cn=limited,dc=example,dc=com" none by * read
	olcAccess: to dn.subtree="ou=rules,dc=example,dc=com" by * read
	olcAccess: to * by dn.exact="cn=reader,dc=example,dc=com" read by users read

	dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config
	objectClass: olcOverlayConfig
	objectClass: olcSyncProvConfig
	olcOverlay: {0}syncprov

	dn: olcDatabase={2}mdb,cn=config
	objectClass: olcDatabaseConfig
	objectClass: olcMdbConfig
	olcDatabase: {2}mdb
	olcDbDirectory: $SLAPD_DIR/mute
	olcDbMaxSize: 10485760
	olcSuffix: dc=mute
	olcRootDN: cn=admin,dc=mute
	olcRootPW: admin-secret
	olcAccess: to * by * read
	EOF
}

write_person() { # name, principal, lines
	printf 'dn: cn=%s,ou=people,dc=example,dc=com\nobjectClass: person\n' "$1"
	printf 'objectClass: anything\nsn: %s\nkrbPrincipalName: %s\n' "$1" "$2"
	[ $# -lt 3 ] || printf '%b' "$3"
	printf '\n'
}

write_group() { # name, members' RDNs ...
	printf 'dn: cn=%s,ou=groups,dc=example,dc=com\n' "$1"
	printf 'objectClass: groupOfNames\nobjectClass: anything\n'
	shift
	for member; do
		printf 'member: %s,dc=example,dc=com\n' "$member"
	done
	printf '\n'
}

write_folder() { # RDNs
	printf 'dn: %s,dc=example,dc=com\nobjectClass: organizationalUnit\n\n' "$1"
}

write_rule() { # name, folder, lines
	printf 'dn: cn=%s,%s,dc=example,dc=com\nobjectClass: gwRule\n' "$1" "$2"
	printf 'gwAction: permit\ngwDestination: %s.example.com\n\n' "$1"
}

write_tree() {
	printf 'dn: dc=example,dc=com\nobjectClass: dcObject\n'
	printf 'objectClass: organization\ndc: example\no: Example\n\n'
	printf 'dn: cn=reader,dc=example,dc=com\nobjectClass: person\n'
	printf 'sn: reader\nuserPassword: reader-secret\n\n'
	printf 'dn: cn=limited,dc=example,dc=com\nobjectClass: person\n'
	printf 'sn: limited\nuserPassword: limited-secret\n\n'
	for folder in people groups rules many part empty; do
		write_folder "ou=$folder"
	done
	write_person alice alice@EXAMPLE.COM
	write_person carol carol@EXAMPLE.COM \
		'memberOf: cn=named,ou=groups,dc=example,dc=com\nmemberOf: cn=gone,ou=groups,dc=example,dc=com\n'
	write_person twin1 twin@EXAMPLE.COM
	write_person twin2 twin@EXAMPLE.COM
	write_person deep deep@EXAMPLE.COM
	write_person alone alone@EXAMPLE.COM
	write_person locked locked@EXAMPLE.COM \
		'pwdAccountLockedTime: 000001010000Z\n'
	write_group staff cn=alice,ou=people cn=locked,ou=people
	write_group everybody cn=staff,ou=groups cn=loop,ou=groups
	write_group loop cn=everybody,ou=groups
	write_group outer cn=named,ou=groups
	printf 'dn: cn=named,ou=groups,dc=example,dc=com\n'
	printf 'objectClass: groupOfNames\nobjectClass: anything\n'
	printf 'member: cn=nobody\n'
	printf 'memberOf: cn=far,ou=groups,dc=example,dc=com\n\n'
	write_group far cn=nobody
	inner=cn=deep,ou=people
	for level in $(seq 20); do
		write_group "level$level" "$inner"
		inner=cn=level$level,ou=groups
	done
	write_rule www ou=rules
	write_rule git ou=rules
	for number in $(seq 3000); do
		write_rule "rule$number" ou=many
	done
	write_rule here ou=part
	printf 'dn: cn=there,ou=part,dc=example,dc=com\nobjectClass: referral\n'
	printf 'objectClass: extensibleObject\ncn: there\n'
	printf 'ref: ldap://127.0.0.2/cn=there,dc=example,dc=com\n\n'
}

# Without an overlay that tells of changes.
write_mute_tree() {
	printf 'dn: dc=mute\nobjectClass: dcObject\n'
	printf 'objectClass: organization\ndc: mute\no: Mute\n\n'
	printf 'dn: cn=quiet,dc=mute\nobjectClass: gwRule\n'
	printf 'gwAction: permit\ngwDestination: *\n\n'
}

load() {
	mkdir "$SLAPD_DIR/config" "$SLAPD_DIR/data" "$SLAPD_DIR/mute"
	write_config
	write_tree >"$SLAPD_DIR/tree.ldif"
	write_mute_tree >"$SLAPD_DIR/mute.ldif"
	number=-1
	for file in config tree mute; do
		number=$((number + 1))
		slapadd -q -F "$SLAPD_DIR/config" -n $number \
			-l "$SLAPD_DIR/$file.ldif" >"$SLAPD_DIR/slapadd.log" 2>&1 || {
			cat "$SLAPD_DIR/slapadd.log" >&2
			exit 1
		}
	done
}

take_tickets() {
	[ -n "${KDC_DIR:-}" ] || return 0
	kadmin.local -r EXAMPLE.COM >>"$SLAPD_DIR/kadmin.log" 2>&1 <<-EOF
	addprinc -randkey ldap/127.0.0.1
	addprinc -randkey other/gw.example.com
	addprinc -randkey gatewarden/gw.example.com
	ktadd -norandkey -k $SLAPD_DIR/ldap.keytab ldap/127.0.0.1
	ktadd -norandkey -k $SLAPD_DIR/directory.keytab other/gw.example.com gatewarden/gw.example.com
	EOF
	KRB5_KTNAME=$SLAPD_DIR/ldap.keytab
	KRB5RCACHENAME=none:
	export KRB5_KTNAME KRB5RCACHENAME
}

write_others() {
	: >"$SLAPD_DIR/plain.conf"
	for name in other expired stranger nameless; do
		cat >"$SLAPD_DIR/$name.conf" <<-EOF
		TLSCACertificateFile $SLAPD_DIR/ca.pem
		TLSCertificateFile $SLAPD_DIR/$name.pem
		TLSCertificateKeyFile $SLAPD_DIR/$name.key
		EOF
	done
}

# ---- starting

accepts() { # address
	LDAPNOINIT=1 ldapsearch -x -H "ldap://$1:$SLAPD_PORT" -s base -b '' \
		-o nettimeout=1 1.1 >/dev/null 2>&1
}

launch() { # address, arguments
	address=$1
	shift
	"$SLAPD_DIR/slapd" -d stats -h \
		"ldap://$address:$SLAPD_PORT ldaps://$address:$((SLAPD_PORT + 1))${more:-}" \
		"$@" >>"$SLAPD_DIR/slapd.log" 2>&1 &
	launched=$!
	pids="$pids $launched"
	for wait in $(seq 100); do
		accepts "$address" && return 0
		kill -0 $launched 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# Someone else may have the port: then another is tried.
start() {
	# A copy: where AppArmor is on, the packaged one is confined.
	cp "$(command -v slapd)" "$SLAPD_DIR/slapd"
	LDAPI_URI=ldapi://$(printf %s "$SLAPD_DIR/ldapi" | sed 's,/,%2F,g')
	attempt=0
	more=" $LDAPI_URI"
	while [ $attempt -lt 20 ]; do
		attempt=$((attempt + 1))
		SLAPD_PORT=$((20000 + ($$ * 13 + attempt * 997) % 12000))
		launch 127.0.0.1 -F "$SLAPD_DIR/config" && break
	done
	SLAPD_PID=$launched
	cat >"$SLAPD_DIR/run" <<-EOF
	#!/bin/sh
	exec "$SLAPD_DIR/slapd" -d stats -F "$SLAPD_DIR/config" -h \\
		"ldap://127.0.0.1:$SLAPD_PORT ldaps://127.0.0.1:$((SLAPD_PORT + 1)) $LDAPI_URI" \\
		>>"$SLAPD_DIR/slapd.log" 2>&1
	EOF
	chmod +x "$SLAPD_DIR/run"
	more=
	host=1
	for name in plain other expired stranger nameless; do
		host=$((host + 1))
		launch 127.0.0.$host -f "$SLAPD_DIR/$name.conf" || {
			echo "with_slapd.sh: slapd does not start" >&2
			cat "$SLAPD_DIR/slapd.log" >&2
			exit 1
		}
	done
}

make_certificates >"$SLAPD_DIR/openssl.log" 2>&1 || {
	cat "$SLAPD_DIR/openssl.log" >&2
	exit 1
}
load
take_tickets
write_others
start
"$@"
