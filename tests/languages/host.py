# SPDX-License-Identifier: MIT
# host.py - whom the programs of test_languages.sh try to reach: host.py NAME listens at a TCP port of loopback, which it prints,
# and at the abstract UNIX name; each line of input is answered with how many have sent it NAME since the last one. Others
# may connect by chance.
import selectors, socket, sys

name = sys.argv[1]
internet, local = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
local.bind("\0" + name)
local.listen(16)
print(internet.getsockname()[1], flush=True)
waiting = selectors.DefaultSelector()
for listener in internet, local:
    waiting.register(listener, selectors.EVENT_READ)


def heard():
    count = 0
    while found := waiting.select(0):
        for key, _ in found:
            connection = key.fileobj.accept()[0]
            connection.settimeout(1)
            try:
                count += connection.recv(64) == name.encode()
            except OSError:
                pass
            connection.close()
    return count


for _ in sys.stdin:
    print(heard(), flush=True)
