# SPDX-License-Identifier: ISC
"""A target that people know: an ssh server."""

import os
import pwd
import shutil
import tempfile

from tests.lab.process import Program, accepts, free_port, run


def sshd(lab):
    """An sshd of an ordinary user; as root that is nobody.

    PAM lets nobody in, whose account sshd itself finds locked; but in a
    namespace of our own PAM's helper cannot read /etc/shadow."""
    user = pwd.getpwnam("nobody") if os.getuid() == 0 \
        else pwd.getpwuid(os.getuid())
    at = tempfile.mkdtemp(prefix="sshd.", dir=lab.directory)
    os.chmod(at, 0o755)
    run("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
        f"{at}/host")
    run("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
        f"{at}/key")
    shutil.copy(f"{at}/key.pub", f"{at}/authorized")
    port = free_port()
    use_pam = "yes" if os.getuid() == 0 else "no"
    with open(f"{at}/config", "w") as out:
        out.write(f"ListenAddress {lab.place.web}\nPort {port}\n"
                  f"HostKey {at}/host\nPidFile none\nUsePAM {use_pam}\n"
                  f"AuthorizedKeysFile {at}/authorized\nStrictModes no\n"
                  "Subsystem sftp internal-sftp\n")
    argv = ["/usr/sbin/sshd", "-D", "-e", "-f", f"{at}/config"]
    if os.getuid() == 0:
        os.chown(f"{at}/host", user.pw_uid, user.pw_gid)
        argv = ["/usr/bin/setpriv", f"--reuid={user.pw_uid}",
                f"--regid={user.pw_gid}", "--clear-groups", *argv]
    program = Program("sshd", argv, f"{at}/log")
    program.ready_when(lambda: accepts(lab.place.web, port))
    return program, user.pw_name, port, at
