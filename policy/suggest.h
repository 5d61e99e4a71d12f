/* SPDX-License-Identifier: MIT */
/*
 * suggest.h - the known word nearest to a mistyped one. Pure.
 */
#ifndef PICKET_POLICY_SUGGEST_H
#define PICKET_POLICY_SUGGEST_H

/*
 * The one of `known` (NULL-terminated) that `word` most probably meant: the fewest insertions, deletions, replacements
 * and swaps of neighbours away, case and `-` for `_` counting as nothing; NULL when none is near enough to be worth
 * saying.
 */
const char *suggest(const char *word, const char *const *known);

#endif
