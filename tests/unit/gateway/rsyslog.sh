#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs test_rsyslog beside a real rsyslogd.
exec "$(dirname "$0")/../../support/with_rsyslogd.sh" \
    tests/unit/gateway/test_rsyslog
