# SPDX-License-Identifier: ISC
"""rsyslogd as receiver: what its own structured-data parser made of us."""

import json
import os
import shutil
import stat
import threading

from tests.lab.certificates import make_certificates
from tests.lab.process import Program, accepts, free_port, wait_until

SD_ID = "gatewarden@32473"

CONFIG = """\
global(workDirectory="{directory}" maxMessageSize="64k" net.enableDNS="off")
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp" KeepAlive="on")
module(load="mmpstrucdata")
template(name="record" type="string" string="%$!all-json%\\n")
template(name="line" type="string" string="%rawmsg%\\n")
ruleset(name="structured") {{
	action(type="mmpstrucdata" sd_name.lowercase="off")
	set $!raw = $rawmsg;
	set $!msg = $msg;
	set $!app = $app-name;
	set $!host = $hostname;
	set $!severity = $syslogseverity-text;
	set $!facility = $syslogfacility-text;
	action(type="omfile" file="{directory}/audit.json" template="record")
	action(type="omfile" file="{directory}/audit.log" template="line")
	action(type="omfile" file="{directory}/protocol.log"
		template="RSYSLOG_SyslogProtocol23Format")
}}
ruleset(name="plain") {{
	set $!raw = $rawmsg;
	set $!msg = $msg;
	set $!app = $programname;
	set $!severity = $syslogseverity-text;
	set $!facility = $syslogfacility-text;
	action(type="omfile" file="{directory}/devlog.json" template="record")
	action(type="omfile" file="{directory}/traditional.log"
		template="RSYSLOG_TraditionalFileFormat")
	action(type="omfile" file="{directory}/file.log"
		template="RSYSLOG_FileFormat")
}}
input(type="imuxsock" Socket="{structured}" useSpecialParser="off"
	parseHostname="on" RateLimit.Interval="0" ruleset="structured")
input(type="imuxsock" Socket="{devlog}" RateLimit.Interval="0"
	ruleset="plain")
input(type="imtcp" address="{address}" port="{port}" ruleset="structured")
"""


class Syslog:
    """Sockets: a dedicated RFC 5424 one, one like /dev/log, and TCP."""

    def __init__(self, directory):
        self.directory = directory
        self.address, self.port = "127.0.0.1", free_port()
        self.structured = f"{directory}/structured"
        self.devlog = f"{directory}/devlog"
        self.target_unix = f"unix:{self.structured}"
        self.target_devlog = f"unix:{self.devlog}"
        self.target_tcp = f"tcp:{self.address}:{self.port}"
        os.mkdir(directory, 0o755)
        # A copy, because of AppArmor's profile for the packaged path.
        self.binary = shutil.copy("/usr/sbin/rsyslogd",
                                  f"{directory}/rsyslogd")
        self.config = f"{directory}/rsyslog.conf"
        with open(self.config, "w") as out:
            out.write(CONFIG.format(**vars(self)))
        self.program = None
        self.audit = Audit(f"{directory}/audit.json")

    def start(self):
        for path in [self.structured, self.devlog]:
            if os.path.exists(path):
                os.unlink(path)
        self.program = Program(
            "rsyslogd", [self.binary, "-n", "-f", self.config, "-i",
                         f"{self.directory}/pid"],
            f"{self.directory}/rsyslogd.log")
        self.program.ready_when(lambda: accepts(self.address, self.port) and
                                _is_socket(self.structured) and
                                _is_socket(self.devlog))
        for path in [self.structured, self.devlog]:
            os.chmod(path, 0o666)

    def stop(self):
        self.program.stop()


class Receiver:
    """rsyslogd with our examples' settings, moved into a folder."""

    EXAMPLES = ["examples/rsyslog-gatewarden.conf",
                "examples/rsyslog-gatewarden-tls.conf"]

    def __init__(self, directory, root):
        self.directory = directory
        self.address, self.port = "127.0.0.1", free_port()
        self.tls_port = free_port()
        self.tls = f"{directory}/tls"
        self.socket = f"{directory}/run/socket"
        os.makedirs(f"{directory}/log", 0o755)
        self.binary = shutil.copy("/usr/sbin/rsyslogd",
                                  f"{directory}/rsyslogd")
        make_certificates(self.tls, "127.0.0.1")
        text = ""
        for example in self.EXAMPLES:
            with open(f"{root}/{example}") as source:
                text += source.read()
        for there, here in [
                ("/run/gatewarden-log", f"{directory}/run"),
                ("/var/log/gatewarden", f"{directory}/log"),
                ("/etc/rsyslog-tls", self.tls),
                ('address="192.0.2.1" port="6514"',
                 f'address="{self.address}" port="{self.tls_port}"'),
                ('address="192.0.2.1" port="601"',
                 f'address="{self.address}" port="{self.port}"')]:
            assert there in text, there
            text = text.replace(there, here)
        self.config = f"{directory}/rsyslog.conf"
        with open(self.config, "w") as out:
            out.write('module(load="imuxsock" SysSock.Use="off")\n' + text)
        self.program = None

    def start(self):
        self.program = Program(
            "rsyslogd", [self.binary, "-n", "-f", self.config, "-i",
                         f"{self.directory}/pid"],
            f"{self.directory}/rsyslogd.log")
        self.program.ready_when(lambda: accepts(self.address, self.port) and
                                accepts(self.address, self.tls_port) and
                                _is_socket(self.socket))

    def stop(self):
        self.program.stop()

    def lines(self, ending):
        """Of the files of all days, whole ones only."""
        text = ""
        for name in sorted(os.listdir(f"{self.directory}/log")):
            if name.endswith(ending):
                with open(f"{self.directory}/log/{name}") as source:
                    text += source.read()
        return text[:text.rfind("\n") + 1].splitlines()


def _is_socket(path):
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


class Audit:
    """The records that arrived, as dictionaries of the SD-ELEMENT's
    parameters; the message's other parts are under "_msg" and so on."""

    def __init__(self, path):
        self.path = path
        self._offset, self._records = 0, []
        self._began = {}
        self._lock = threading.Lock()

    def records(self):
        with self._lock:
            return self._read()

    def _read(self):
        try:
            with open(self.path, "rb") as source:
                source.seek(self._offset)
                text = source.read()
        except FileNotFoundError:
            return self._records
        whole = text[:text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode().splitlines():
            fields = json.loads(line)
            record = dict(fields.pop("rfc5424-sd", {}).get(SD_ID, {}))
            record.update({"_" + key: value for key, value in fields.items()})
            self._records.append(record)
        return self._records

    def began(self, client, known):
        """A client called when so many records were known; those are
        another's, who had the port before."""
        self._began[client] = known

    def find(self, **wanted):
        """All records whose parameters have these values; True: there at
        all, False: absent."""
        since = self._began.get(wanted.get("client"), 0)
        return [record for record in self.records()[since:]
                if all(_fits(record.get(key), value)
                       for key, value in wanted.items())]

    def wait_for(self, seconds=10, **wanted):
        """The first record that fits."""
        try:
            return wait_until(lambda: self.find(**wanted),
                              f"a record with {wanted}", seconds)[0]
        except AssertionError as error:
            about = [r for r in self.records()
                     if "client" in wanted and
                     r.get("client") == wanted["client"]]
            shown = about or self.records()[-8:]
            raise AssertionError(
                f"{error}; there are:\n" +
                "\n".join(str({k: v for k, v in record.items()
                               if not k.startswith("_")})
                          for record in shown)) from None

    def assert_gapless(self):
        """Each run of the gateway numbers its records 1, 2, 3 ... without
        a hole."""
        wanted = 1
        for record in self.records():
            number = int(record["seq"])
            assert number in (wanted, 1), (
                f"record {number} came instead of {wanted}")
            wanted = number + 1


def _fits(value, wanted):
    if wanted is True or wanted is False:
        return (value is not None) == wanted
    if callable(wanted):
        return value is not None and wanted(value)
    return value == str(wanted)
