#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""reaching.py LIBC SYSCALLS.DEF - which exported functions of a libc make a call that is judged or refused, or call what makes one.

Prints "FUNCTION CALL...", one function a line. Found in the code: where a number is put into eax before a syscall
instruction, and which functions call or jump to that code; and where it is pushed for the one function that makes all calls at
which a thread can be cancelled (glibc from 2.41; the one that read() calls). One step only: with more of them nearly everything reaches something
(printf reaches abort, which reaches tgkill). Calls through pointers are not followed.
"""
import re
import subprocess
import sys

libc, table = sys.argv[1:3]
calls = {}
for row in re.finditer(r"^CALL\(\s*(\d+), (\w+),\s*(\w+),\s*(\w+)", open(table).read(), re.M):
    # what a supervisor needs to know of, and memory, are of no concern to the shim (preload/judge.c)
    if row[3] in ("JUDGED", "REFUSED") and row[4] not in ("MEMORY", "CREDENTIALS", "ASYNC", "SECCOMP", "FORK", "ALLOCATE",
                                                           "CLONE", "CLONE3", "PRCTL", "DESCRIPTOR", "IOCTL", "FCNTL", "SIGNAL",
                                                           "PROCESS"):
        calls[int(row[1])] = row[2]

names, starts, ends = {}, set(), {}
for line in subprocess.run(["nm", "-DS", "--defined-only", libc], capture_output=True, text=True).stdout.splitlines():
    word = line.split()
    if len(word) == 4 and word[2] in "TWi":
        # also of those that only old programs get: what lies behind them is not their neighbour's
        start = int(word[0], 16)
        starts.add(start)
        ends[start] = start + int(word[1], 16)
        if "GLIBC_PRIVATE" not in word[3] and not re.search(r"(?<!@)@(?!@)", word[3]):
            names.setdefault(start, set()).add(word[3].split("@")[0])

direct, edges, passed, number, pushed, function, end = {}, {}, {}, None, None, None, None
code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", libc], capture_output=True, text=True).stdout.splitlines()
for line in code:
    target = re.search(r"\bcall\s+([0-9a-f]+)", line)
    if target:
        starts.add(int(target[1], 16))
for line in code:
    at = re.match(r"\s*([0-9a-f]+):\s+(\w+)\s*(.*)", line)
    if not at:
        continue
    address, name, rest = int(at[1], 16), at[2], at[3]
    if address in starts:
        function, number, pushed, end = address, None, None, ends.get(address)
    elif end and address >= end:
        function = end = None   # here lies one that has no name
    if function is None:
        continue
    put = re.match(r"\$0x([0-9a-f]+),%[er]ax", rest)
    if name == "mov" and put:
        number = int(put[1], 16)
    elif name == "xor" and rest.startswith("%eax,%eax"):
        number = 0
    elif name == "push" and rest.startswith("$0x"):
        pushed = int(rest[3:], 16)
    elif name == "syscall" and number in calls:
        direct.setdefault(function, set()).add(calls[number])
    elif name == "call" or name.startswith("j"):
        target = re.match(r"([0-9a-f]+)", rest)
        if target and pushed is not None:
            passed.setdefault(function, set()).add((pushed, int(target[1], 16)))
        if target and int(target[1], 16) in starts:
            edges.setdefault(function, set()).add(int(target[1], 16))

makes_all = {t for f in passed if "read" in names.get(f, ()) for n, t in passed[f] if n == 0}
for f in passed:
    for n, t in passed[f]:
        if t in makes_all and n in calls:
            direct.setdefault(f, set()).add(calls[n])

reach = {f: set(c) for f, c in direct.items()}
for f, targets in edges.items():
    for t in targets:
        if t in direct:
            reach.setdefault(f, set()).update(direct[t])
found = {}
for f, c in reach.items():
    for name in names.get(f, ()):
        found.setdefault(name, set()).update(c)
for name in sorted(found):
    print(name, *sorted(found[name]))
