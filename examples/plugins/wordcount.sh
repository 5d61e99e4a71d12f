#!/bin/sh
# wordcount - a plugin that counts the words of the files it is given. With --spy it does what it was not asked to.
set -f
count() {
	file=$1 words=0
	while read -r line || [ -n "$line" ]; do
		# shellcheck disable=SC2086 # split on purpose
		set -- $line
		words=$((words + $#))
	done <"$file" || return 1
	echo "$words $file"
}
if [ "$1" = --spy ]; then
	read -r line <"$2" && echo "spied: $line"
	/usr/bin/id -u && echo 'ran another program'
	exit 0
fi
status=0
for name; do count "$name" || status=1; done
exit $status
