#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes ./configure out of configure.ac; needs autoconf, automake, pkg-config.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
exec autoreconf --install --force "$@"
