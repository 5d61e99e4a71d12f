/* SPDX-License-Identifier: MIT */
/* judge_hidden.c - what a policy hides, and names that lead past it, as tracer/judge_hidden.c. */
#include <asm-generic/errno.h>
#include <linux/stat.h>

#include "shim.h"

bool judge_hidden(const struct place *place)
{
	struct verdict verdict;
	unsigned image;

	return (shim.may_refuse & ACCESS_LOOK) && place->exists && !place->nameless &&
	       judge_asked(place, ACCESS_LOOK, &verdict, &image);
}

/* Does the rest of a name behind a component, which begins with the slashes, go back from there? */
static bool goes_back(const char *rest)
{
	while (*rest == '/')
		rest++;
	return rest[0] == '.' && rest[1] == '.' && (rest[2] == '/' || !rest[2]);
}

/* "hidden/../x" and "hidden-file/x": were nothing there, they would lead nowhere. Through a hidden directory to what is shown there
 * again leads a way as any. `error`: where the name itself leads. */
static int judge_way(struct request *request, int dirfd, const char *path, int error)
{
	char before[PLACE_ROOM];
	struct place place;
	int r = 0;

	for (size_t i = 1; r == 0 && i < sizeof before && path[i - 1] && path[i]; i++) {
		bool back = goes_back(path + i);
		if (path[i] != '/' || path[i - 1] == '/' || (error != -ENOTDIR && !back))
			continue;
		memcpy(before, path, i);
		before[i] = 0;
		if (place_resolve(&place, dirfd, before, true) == 0 && (back || place_type(&place) != S_IFDIR) &&
		    judge_hidden(&place))
			r = judge_place(request, &place, ACCESS_LOOK, false);
		place_close(&place);
	}
	return r;
}

int judge_resolve_fd(struct place *place, int fd)
{
	int r = place_of_fd(place, fd);

	return r == 0 || place_unresolvable(r) ? r : JUDGED_FAILS;
}

int judge_resolve(struct request *request, struct place *place, int dirfd, const char *path, bool follow)
{
	int r = place_resolve(place, dirfd, path, follow), way = 0;

	if (place_unresolvable(r))
		return r;
	if (r != -EFAULT && (shim.may_refuse & ACCESS_LOOK))
		way = judge_way(request, dirfd, path, r);
	return way < 0 ? way : r < 0 ? JUDGED_FAILS : 0;
}
