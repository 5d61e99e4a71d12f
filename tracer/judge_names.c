/* SPDX-License-Identifier: MIT */
/* judge_names.c - what the kernel would say of a call's names, whatever the policy does. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "judge.h"

/* Is it the root, or a component that nobody can move? */
static bool ends_in_dots(const struct name_arg *name)
{
	size_t length;
	const char *last = resolve_last_of(name->text, &length);

	return name->length > 0 && length <= 2 && strncmp(last, "..", length) == 0;
}

/* Nobody can remove those either: do_rmdir() and do_unlinkat() in fs/namei.c. */
static int remove_error(const struct guard *guard, const struct request *request)
{
	const struct name_arg *name = &request->names[0];
	bool directory = request->stop.number == SYS_rmdir || (request->flags & AT_REMOVEDIR);
	size_t length;

	if (name->at.error < 0 || !ends_in_dots(name) || judge_hidden(guard, &name->at))
		return name->at.error;
	if (!directory)
		return -EISDIR;
	resolve_last_of(name->text, &length);
	return length == 0 ? -EBUSY : length == 1 ? -EINVAL : -ENOTEMPTY;
}

/* "file/": that this is no directory shows only when the file is looked for, and its directory was found before. */
static bool is_no_directory(const struct name_arg *name)
{
	return name->at.error == -ENOTDIR && name->length > 0 && name->text[name->length - 1] == '/';
}

/* The same of a last component that is too long. Of a name that is too long as a whole there is no text (length 0). */
static bool is_too_long(const struct name_arg *name)
{
	const char *slash = name->length ? strrchr(name->text, '/') : NULL, *last = slash ? slash + 1 : name->text;

	return name->at.error == -ENAMETOOLONG && name->length > NAME_MAX && strlen(last) > NAME_MAX;
}

/* What is wrong with the names that are moved, in the order of the kernel's: both directories, then what is in them. */
static int rename_error(const struct guard *guard, const struct request *request)
{
	const struct name_arg *from = &request->names[0], *to = &request->names[1];
	bool keeps = request->flags & RENAME_NOREPLACE,
	     hidden = judge_hidden(guard, &from->at) || judge_hidden(guard, &to->at);

	if (from->at.error < 0 && !is_no_directory(from) && !is_too_long(from))
		return from->at.error;
	if (to->at.error < 0 && !is_no_directory(to) && !is_too_long(to))
		return to->at.error;
	if (!hidden && (ends_in_dots(from) || (ends_in_dots(to) && !keeps)))
		return -EBUSY;
	if (from->at.error == 0 && !from->at.exists)
		return -ENOENT;
	if (is_too_long(from) || is_too_long(to))
		return -ENAMETOOLONG;
	if (keeps && !hidden && (to->at.exists || to->at.error < 0))
		return -EEXIST;
	return from->at.error < 0 ? from->at.error : to->at.error;
}

int judge_names(const struct guard *guard, const struct request *request)
{
	const struct name_arg *name = &request->names[0];

	if (name->arg < 0)
		return 0;
	if (request->call->op == OP_RENAME)
		return rename_error(guard, request);
	if (request->call->op == OP_REMOVE)
		return remove_error(guard, request);
	if (name->at.error < 0)
		return name->at.error;
	if (request->call->op == OP_LINK)
		return name->at.exists ? request->names[1].at.error : -ENOENT;
	return 0;
}
