"""listener.py LOG: where the demo's untrusted tool phones to. Prints its port, appends to LOG each line that
arrives, and answers "flush" with "done", so that the demo knows that it has seen all of it."""
import socket
import sys

with socket.create_server(("127.0.0.1", 0)) as server, open(sys.argv[1], "ab", buffering=0) as log:
    print(server.getsockname()[1], flush=True)
    while True:
        peer, _ = server.accept()
        with peer, peer.makefile("rwb", buffering=0) as lines:
            for line in lines:
                if line == b"flush\n":
                    lines.write(b"done\n")
                else:
                    log.write(line)
