# SPDX-License-Identifier: MIT
"""denials.py BARE GUARDED RESULT DIRECTORY: what denials.c printed unguarded and guarded, and the result of the guarded run. One
line per call, as lib.sh has it: the errno, and the record, which has to be complete."""
import errno
import json
import os
import sys

bare_file, guarded_file, result_file, directory = sys.argv[1:]


def rows(name):
    with open(name, encoding="utf-8") as lines:
        return {f[0]: (int(f[1]), int(f[2]), f[3]) for f in (line.split(" ", 3) for line in lines.read().splitlines())}


bare, guarded = rows(bare_file), rows(guarded_file)
with open(result_file, encoding="utf-8") as f:
    result = json.load(f)
violations = result["violations"]
KEYS = ("seq at kind action count target requested syscall errno pid tid exe command cwd ancestry origin rule "
        "allow_with").split()
KINDS = {"file_read", "file_write", "process_exec", "network_outbound", "network_bind", "process_control", "privilege", "interface"}


def record_of(name, what):
    """The violation that this call made; calls about one descriptor share theirs."""
    target = os.path.normpath(os.path.join(directory, what)) if what.startswith("..") else None
    for v in violations:
        if v["target"] == target or (target is None and v["syscall"] == name):
            return v
    return None


def complaint(name):
    failed, error, what = guarded[name]
    if name in bare and bare[name][0] != 0:
        return None     # told by the caller
    allowed = ("ENOENT",) if "/hidden/" in what else ("EACCES",) if "/shut/" in what else ("EACCES", "EPERM", "ENOSYS")
    if name == "socket":
        allowed = ("EPROTONOSUPPORT",)  # as a kernel says that has not got this one
    if failed == 0:
        return "it succeeded"
    if errno.errorcode.get(error) not in allowed:
        return f"{errno.errorcode.get(error)} instead of {allowed}"
    v = record_of(name, what)
    if not v:
        return "no record"
    wrong = [k for k in KEYS if k not in v]
    wrong += [k for k in ("target", "requested", "exe", "command", "cwd", "syscall") if not v.get(k)]
    if v["errno"] != errno.errorcode[error]:
        wrong.append("errno")
    if v["kind"] not in KINDS or v["action"] != "denied" or v["cwd"] != directory or v["pid"] <= 0 or v["count"] < 1:
        wrong.append("kind, action, cwd, pid or count")
    if what.startswith("..") and v["requested"] not in (what, os.path.normpath(os.path.join(directory, what))):
        wrong.append("requested")
    if what != "always" and (v["rule"] is None or "key" not in v["rule"]):
        wrong.append("rule")
    return f"wrong in the record: {wrong}: {json.dumps(v)}" if wrong else None


for name in guarded:
    if name in bare and bare[name][0] != 0:
        print(f"skip - {name}: it fails unguarded, too ({os.strerror(bare[name][1])})")
        continue
    why = complaint(name)
    print(f"not ok - {name}\n# {why}" if why else f"ok - {name}")
if result["violation_count"] != len(guarded):
    print(f"not ok - one refusal each\n# {result['violation_count']} refusals of {len(guarded)} calls")
