# SPDX-License-Identifier: MIT
"""terminal.py STEPS COMMAND...: run a command on a terminal of its own (80x24) and type into it.

STEPS is a list of "WAIT=>TYPE" separated by newlines: when WAIT has appeared on the screen since the last step, TYPE is
sent ("\\r", "\\x1b" and the like are understood). Exit status: the command's own, 99 when a WAIT does not come within
60 seconds."""
import os
import pty
import select
import signal
import struct
import sys
import termios
import fcntl
import time

steps = [line.split("=>", 1) for line in sys.argv[1].strip().split("\n")]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])

screen, everything = b"", b""
deadline = time.monotonic() + 60
while True:
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
    if not ready:
        sys.stderr.write(f"terminal.py: waited in vain for {steps[0][0] if steps else 'the end'!r}; so far:\n")
        sys.stderr.write(repr(everything[-2000:]) + "\n")
        os.kill(child, signal.SIGKILL)
        sys.exit(99)
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    if not data:
        break
    screen += data
    everything += data
    while steps and steps[0][0].encode() in screen:
        _, typed = steps.pop(0)
        screen = b""
        os.write(terminal, typed.encode().decode("unicode_escape").encode("latin-1"))
        deadline = time.monotonic() + 60
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256 if not steps else 99)
