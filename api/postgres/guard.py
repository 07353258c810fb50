"""The server does not outlive us, whatever ended us."""

import signal
import subprocess

SHELL = "/bin/sh"
WATCH = 'read -r nothing; kill -INT "$1"'


class Guarded:
    """A postmaster, and beside it a shell that waits for us to die and then asks the postmaster to shut down.

    The kernel closes our end of the shell's input, after kill -9 too, on Linux and macOS alike, and from whatever
    thread the server was started (Linux's own parent-death signal is sent when the thread ends). The postmaster's id
    cannot have been given to another process: it is our child, and the shell is dismissed as soon as it is reaped.
    """

    def __init__(self, postmaster: "subprocess.Popen[bytes]") -> None:
        self.pid = postmaster.pid
        self._postmaster = postmaster
        self._shell = subprocess.Popen(
            [SHELL, "-c", WATCH, SHELL, str(postmaster.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self.guard_pid = self._shell.pid

    def has_ended(self, *, within_seconds: float = 0) -> bool:
        """Whether the postmaster has ended by then."""
        try:
            self._postmaster.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return False
        self._shell.kill()
        self._shell.communicate()
        return True

    def ends_on(self, request: signal.Signals, *, within_seconds: float) -> bool:
        """Whether the postmaster has ended, before or after being sent this signal."""
        if self.has_ended():
            return True
        self._postmaster.send_signal(request)
        return self.has_ended(within_seconds=within_seconds)
