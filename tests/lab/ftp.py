# SPDX-License-Identifier: ISC
"""FTP in active mode: a real server, a real client, and Dante's socksify
between them and a gateway."""

import getpass
import os
import subprocess

from tests.lab.process import Program, accepts

VSFTPD_CONF = """\
background=NO
listen=YES
listen_address={address}
listen_port={port}
run_as_launching_user=YES
seccomp_sandbox=NO
ftp_username={user}
nopriv_user={user}
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_umask=022
allow_writeable_chroot=YES
pasv_enable=NO
connect_from_port_20=NO
secure_chroot_dir={root}
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file={directory}/vsftpd.log
"""

DANTE_CONF = """\
logoutput: stderr
resolveprotocol: fake
route {{
	from: 0.0.0.0/0 to: 0.0.0.0/0 via: {address} port = {port}
	protocol: tcp
	command: connect bind
	proxyprotocol: socks_v5
	method: {method}
}}
"""


class Server:
    """vsftpd: anonymous, active mode only, and it calls nobody but the
    address that the control connection came from."""

    def __init__(self, directory, address, port=2121):
        self.directory, self.address, self.port = directory, address, port
        self.root = f"{directory}/root"
        os.makedirs(f"{self.root}/in")
        config = f"{directory}/vsftpd.conf"
        with open(config, "w") as out:
            out.write(VSFTPD_CONF.format(
                address=address, port=port, root=self.root,
                directory=directory, user=getpass.getuser()))
        self.program = Program("vsftpd", ["/usr/sbin/vsftpd", config],
                               f"{directory}/vsftpd.out")
        self.program.ready_when(lambda: accepts(address, port))

    def log(self):
        with open(f"{self.directory}/vsftpd.log") as log:
            return log.read()

    def close(self):
        self.program.stop()


def transfer(directory, server, proxy, commands, method="none", env=None):
    """tnftp in active mode under socksify; what both said."""
    config = f"{directory}/dante.conf"
    with open(config, "w") as out:
        out.write(DANTE_CONF.format(address=proxy[0], port=proxy[1],
                                    method=method))
    done = subprocess.run(
        ["/usr/bin/socksify", "/usr/bin/tnftp", "-A", "-n", "-v", "-i"],
        input="\n".join([f"open {server.address} {server.port}",
                         "user anonymous nobody@example.com", "binary",
                         *commands, "quit", ""]),
        env={**os.environ, "SOCKS_CONF": config, "HOME": directory,
             **(env or {})},
        cwd=directory, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60)
    return done.stdout
