"""show.py RESULT: what a result says was refused, one line each: what, whose doing, and the rule that said no."""
import json
import os
import sys

WORDS = {"file_read": "read", "file_write": "write", "process_exec": "run", "network_outbound": "connect",
         "network_bind": "bind"}


def short(text):
    home = os.environ.get("HOME", "")
    return "~" + text[len(home):] if home and text.startswith(home + "/") else text


with open(sys.argv[1]) as file:
    result = json.load(file)
project = result["cwd"] + "/"
for violation in result["violations"]:
    rule = violation["rule"]
    target = violation["target"]
    target = target[len(project):] if target.startswith(project) else short(target)
    times = f" ({violation['count']} times)" if violation["count"] > 1 else ""
    if rule["key"] == "default":
        why = "nothing allows it"
    else:
        why = f"{os.path.basename(rule['source'])} {rule['key']} \"{rule['value']}\""
    print(f"  {WORDS.get(violation['kind'], violation['kind']):8}{target:26}{violation['syscall']} in "
          f"{os.path.basename(violation['exe'])}{times}: {why}")
print(f"  enforcement: level {result['enforcement']['level']}, {result['enforcement']['processes']} processes, "
      f"{result['duration_ms']} ms")
