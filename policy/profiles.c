/* SPDX-License-Identifier: MIT */
/*
 * profiles.c - the built-in profiles. Their texts are the files in policy/profiles, put into the program by the
 * assembler, so that it needs none of them when it runs; `make install` installs them too, to be read and copied. The
 * build runs in the top directory.
 */
#include "compile.h"

#include <string.h>

/* A zero byte ends each text. */
#define PROFILE(symbol, file)                                          \
	__asm__(".pushsection .rodata\n"                               \
		".type profile_" #symbol ", @object\n"                 \
		"profile_" #symbol ":\n"                               \
		".incbin \"policy/profiles/" file "\"\n"               \
		".byte 0\n"                                            \
		".size profile_" #symbol ", . - profile_" #symbol "\n" \
		".popsection\n");                                      \
	extern const char profile_##symbol[] __attribute__((visibility("hidden")))

PROFILE(workstation, "workstation.conf");
PROFILE(strict, "strict.conf");
PROFILE(permissive, "permissive.conf");
PROFILE(none, "none.conf");

const char *const profile_names[] = {"workstation", "strict", "permissive", "none", NULL};

const char *profile_text(const char *name)
{
	static const char *const texts[] = {profile_workstation, profile_strict, profile_permissive, profile_none};

	for (size_t i = 0; profile_names[i]; i++)
		if (!strcmp(profile_names[i], name))
			return texts[i];
	return NULL;
}
