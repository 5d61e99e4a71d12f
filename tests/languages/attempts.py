# SPDX-License-Identifier: MIT
# attempts.py - as attempts.c, by ctypes: system calls by number, and by machine code of its own.
import ctypes, mmap, os, socket, sys

fixture, port, abstract = sys.argv[1], int(sys.argv[2]), sys.argv[3]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_char_p(a.encode()) if isinstance(a, str) else
                                                 a if isinstance(a, ctypes.Array) else ctypes.c_long(a) for a in arguments])


def shows(fd):
    text = os.read(fd, 128) if fd >= 0 else b""
    os.write(1, text)
    return bool(text)


def runs(name):
    child = os.fork()
    if child == 0:
        try:
            os.execve(name, [name], {})
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def connects(family, address):
    to = socket.socket(family, socket.SOCK_STREAM)
    to.connect(address)
    return to.send(abstract.encode()) > 0


def link():
    os.symlink("../vault/secret", "link")
    return shows(os.open("link", os.O_RDONLY))


def second():
    os.link(fixture + "/vault/secret", "second")
    return shows(os.open("second", os.O_RDONLY))


def rename():
    open("mine", "w").close()
    return call(82, "mine", fixture + "/vault/overwritten") == 0


def memory_exec():
    program = open(fixture + "/shown/intruder", "rb").read()
    fd = os.memfd_create("x", 0)
    os.write(fd, program)
    return runs("/proc/self/fd/%d" % fd)


def machine_code(code, *arguments):
    area = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    area.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    return ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(address)(*arguments)


def own_instruction():
    # mov $2,%eax; xor %esi,%esi; syscall; ret: open(2) of the name in %rdi
    name = ctypes.create_string_buffer((fixture + "/vault/secret").encode())
    return shows(machine_code(b"\xb8\x02\0\0\0\x31\xf6\x0f\x05\xc3", ctypes.addressof(name)))


def old_door():
    # push %rbx; mov $5,%eax; mov %edi,%ebx; xor %ecx,%ecx; int $0x80; pop %rbx; ret: the same by the 32-bit door
    libc.mmap.restype = ctypes.c_void_p
    low = libc.mmap(None, ctypes.c_size_t(4096), 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, -1, ctypes.c_long(0))
    ctypes.memmove(low, (fixture + "/vault/secret").encode() + b"\0", len(fixture) + 14)
    return shows(ctypes.c_int(machine_code(b"\x53\xb8\x05\0\0\0\x89\xfb\x31\xc9\xcd\x80\x5b\xc3", low)).value)


attempts = {
    "read": lambda: shows(call(257, -100, fixture + "/vault/secret", 0)),
    "link": link,
    "second": second,
    "write": lambda: call(2, fixture + "/vault/victim", os.O_WRONLY | os.O_APPEND) >= 0,
    "rename": rename,
    "connect": lambda: connects(socket.AF_INET, ("127.0.0.1", port)),
    "abstract": lambda: connects(socket.AF_UNIX, "\0" + abstract),
    "exec": lambda: runs(fixture + "/vault/intruder"),
    "memory_exec": memory_exec,
    "own_memory": lambda: os.open("/proc/self/mem", os.O_WRONLY) >= 0,
    "ring": lambda: call(425, 1, ctypes.create_string_buffer(120)) >= 0,
    "own_instruction": own_instruction,
    "old_door": old_door,
}
for name, attempt in attempts.items():
    try:
        if attempt():
            os.write(1, b"GOT %s\n" % name.encode())
    except OSError:
        pass
os.write(1, b"DONE\n")
