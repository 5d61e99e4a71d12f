/* SPDX-License-Identifier: MIT */
/*
 * next.c - the definition that a program would have reached without the shim:
 * the first one behind ours in the order of loading, as dlsym(RTLD_NEXT) would find it. Done here because libc's dlsym
 * may lie in a library that is not loaded (glibc before 2.34), takes locks and may use the heap.
 *
 * The list of loaded objects is the one for debuggers, in glibc and in musl alike (link.h, SVr4). What is searched
 * stands before anything that can be unloaded again: libc is loaded at the start.
 */
#include <elf.h>
#include <link.h>

#include "note.h"
#include "shim.h"

extern const char shim_stubs[] __attribute__((visibility("hidden")));
/* Neither is there in the other's libc; with no library needed, both are found where there are. */
extern struct r_debug _r_debug __attribute__((weak, visibility("default")));
extern struct r_debug *_dl_debug_addr __attribute__((weak, visibility("default")));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/*
 * The names of those that have no stub, one behind the other: an array of pointers would be as many relocations. The names of
 * stubs are in our own table of symbols, where the loader reads them.
 */
struct names {
#define SAME(...)
#define MAPPED(...)
#define HAND(...)
#define WRAP_NAME(function) char name_##function[sizeof #function];
#define BODY(function) WRAP_NAME(function)
#define LOOKUP(function) WRAP_NAME(function)
#include "wrap.def"
#undef WRAP_NAME
};
static const struct names names = {
#define WRAP_NAME(function) #function,
#include "wrap.def"
#undef WRAP_NAME
};
static const uint8_t name_offset[] = {
#define WRAP_NAME(function) offsetof(struct names, name_##function),
#include "wrap.def"
#undef WRAP_NAME
};
_Static_assert(sizeof name_offset == WRAP_COUNT - WRAP_STUBS && sizeof names <= 1 << 8, "those behind the stubs");

/* How many of ours are exported: those before the first that is only looked up. */
enum { EXPORTED = WRAP___errno_location };

/* How far from shim_stubs each is, 0: not known. That is half of what an address takes; one that is further away, which libraries
 * of one process are not, is looked up again each time. */
static _Atomic int32_t found[WRAP_COUNT];

struct object {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash, *hash;
	const ElfW(Half) * versions;
};

/* glibc makes addresses of what stands in most dynamic sections, musl leaves offsets. */
static const void *pointer(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? map->l_addr + value : value);
}

static bool read_object(const struct link_map *map, struct object *object)
{
	*object = (struct object){NULL, NULL, NULL, NULL, NULL};
	if (!map->l_ld)
		return false;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			object->symbols = pointer(map, d->d_un.d_ptr);
			break;
		case DT_STRTAB:
			object->strings = pointer(map, d->d_un.d_ptr);
			break;
		case DT_GNU_HASH:
			object->gnu_hash = pointer(map, d->d_un.d_ptr);
			break;
		case DT_HASH:
			object->hash = pointer(map, d->d_un.d_ptr);
			break;
		case DT_VERSYM:
			object->versions = pointer(map, d->d_un.d_ptr);
			break;
		default:
			break;
		}
	}
	return object->symbols && object->strings && (object->gnu_hash || object->hash);
}

enum { VERSION_HIDDEN = 0x8000 };

/* What a search is for. */
struct wanted {
	const char *name;
	bool old; /* also what only old programs get */
};

/* A function of that name, defined, and of several versions the one that a new program would get. */
static bool is_it(const struct object *object, uint32_t i, const struct wanted *wanted)
{
	const ElfW(Sym) *symbol = &object->symbols[i];
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 && (type == STT_FUNC || type == STT_NOTYPE) &&
	       (wanted->old || !object->versions || !(object->versions[i] & VERSION_HIDDEN)) &&
	       text_equal(object->strings + symbol->st_name, wanted->name);
}

static uint32_t by_gnu_hash(const struct object *object, const struct wanted *wanted)
{
	const uint32_t *table = object->gnu_hash, count = table[0], first = table[1], words = table[2],
		       shift = table[3];
	const uint64_t *bloom = (const uint64_t *)(table + 4);
	const uint32_t *buckets = (const uint32_t *)(bloom + words), *chain = buckets + count;
	uint32_t h = 5381;

	for (const char *c = wanted->name; *c; c++)
		h = h * 33 + (unsigned char)*c;
	uint64_t mask = UINT64_C(1) << (h % 64) | UINT64_C(1) << ((h >> shift) % 64);
	if ((bloom[h / 64 % words] & mask) != mask || count == 0)
		return 0;
	uint32_t i = buckets[h % count];
	if (i < first)
		return 0;
	for (;; i++) {
		uint32_t other = chain[i - first];
		if ((other | 1) == (h | 1) && is_it(object, i, wanted))
			return i;
		if (other & 1)
			return 0;
	}
}

static uint32_t by_hash(const struct object *object, const struct wanted *wanted)
{
	const uint32_t *table = object->hash, count = table[0], *buckets = table + 2, *chain = buckets + count;
	uint32_t h = 0;

	for (const char *c = wanted->name; *c; c++) {
		h = (h << 4) + (unsigned char)*c;
		h ^= h >> 24 & 0xf0;
		h &= 0xfffffff;
	}
	for (uint32_t i = count ? buckets[h % count] : 0; i; i = chain[i])
		if (is_it(object, i, wanted))
			return i;
	return 0;
}

static void *look_up(const struct link_map *map, const struct wanted *wanted)
{
	struct object object;

	if (!read_object(map, &object))
		return NULL;
	uint32_t i = object.gnu_hash ? by_gnu_hash(&object, wanted) : by_hash(&object, wanted);
	return i ? (void *)(map->l_addr + object.symbols[i].st_value) : NULL;
}

bool libc_is_musl(void)
{
	return &_dl_debug_addr != NULL;
}

/* Or NULL. */
static const struct r_debug *for_debuggers(void)
{
	if (&_r_debug)
		return &_r_debug;
	return &_dl_debug_addr ? _dl_debug_addr : NULL;
}

void *loader_base(void)
{
	const struct r_debug *debug = for_debuggers();

	return debug ? (void *)debug->r_ldbase : NULL;
}

/* Ourselves in the list, or NULL. */
static const struct link_map *own_map(void)
{
	const struct r_debug *debug = for_debuggers();
	const struct link_map *map = debug ? debug->r_map : NULL;
	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	return map;
}

const char *shim_path(void)
{
	const struct link_map *map = own_map();

	return map && map->l_name && map->l_name[0] == '/' ? map->l_name : NULL;
}

/* Of ours, which come behind what is undefined; a table of their hashes says where. */
static const char *name_of(const struct link_map *own, enum wrap_index index)
{
	ElfW(Addr) stub = (ElfW(Addr))shim_stubs + index * STUB_SIZE + index / STUB_GROUP * LANDING_SIZE;
	struct object object;

	if ((unsigned)index >= WRAP_STUBS)
		return (const char *)&names + name_offset[(unsigned)index - WRAP_STUBS];
	if (!read_object(own, &object) || !object.gnu_hash)
		return NULL;
	uint32_t first = object.gnu_hash[1];
	for (uint32_t i = first; i < first + EXPORTED; i++)
		if (own->l_addr + object.symbols[i].st_value == stub)
			return object.strings + object.symbols[i].st_name;
	return NULL;
}

static void *find_next(enum wrap_index index)
{
	const struct link_map *own = own_map();
	struct wanted wanted = {own ? name_of(own, index) : NULL, false};
	void *next = NULL;

	do {
		for (const struct link_map *map = wanted.name ? own->l_next : NULL; map && !next; map = map->l_next)
			next = look_up(map, &wanted);
		wanted.old = !wanted.old;
	} while (wanted.old && !next);
	return next;
}

void *next_of(enum wrap_index index)
{
	int32_t known = found[index];

	if (known)
		return (void *)(shim_stubs + known);
	void *next = find_next(index);
	int64_t distance = (int64_t)next - (int64_t)shim_stubs;
	if (next && distance == (int32_t)distance)
		found[index] = (int32_t)distance;
	return next;
}
