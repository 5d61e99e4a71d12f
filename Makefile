# SPDX-License-Identifier: MIT
# Picket. `make help` lists what there is. All output goes to $(BUILD).
BUILD  ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC      = gcc
endif
CFLAGS ?= -O2 -g

PKGS       := libconfig jansson libsodium libelf
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
PKG_STATIC := $(filter -l%,$(shell pkg-config --static --libs $(PKGS) 2>/dev/null))
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null)

CPPFLAGS   += -D_GNU_SOURCE -iquote policy -iquote tracer -DPREFIX='"$(PREFIX)"' $(PKG_CFLAGS)
WARN        = -Wall -Wextra -Wshadow -Wswitch-enum -Wmissing-prototypes -Wstrict-prototypes -Wconversion
HARDEN      = -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE
ALL_CFLAGS  = -std=c17 $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LDLIBS     += $(PKG_LIBS) -pthread

SOURCES := $(wildcard policy/*.c tracer/*.c)
LIB     := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tracer/main.c,$(SOURCES))) $(BUILD)/tracer/gate_code.o $(BUILD)/tracer/absent_code.o
TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
BENCHES := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench_*.c))
FUZZERS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz_*.c))
# Programs that test scripts run under the guard, and the trials (tests/trials/trials.h).
HELPERS := $(patsubst tests/helpers/%.c,$(BUILD)/tests/helpers/%,$(wildcard tests/helpers/*.c))
TRIALS  := $(addprefix $(BUILD)/tests/trials/,trials-dyn trials-static trials-low trials-x86 host intruder intruder.so)
EVERY_C  = $(wildcard policy/*.[ch] tracer/*.[ch] preload/*.[ch] tests/*.[ch] tests/helpers/*.[ch] tests/trials/*.[ch])

# The shim: freestanding, of the parts of policy/ that decide and its own.
SHIM     = $(BUILD)/libpicket-preload.so
SHIM_O  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out preload/loader.c,$(wildcard preload/*.c))) $(BUILD)/preload/enter.o \
	   $(patsubst %,$(BUILD)/preload/policy/%.o,always decide image links net open_site path syscalls)
# And the code in the gate's page.
LOADER_O := $(patsubst %,$(BUILD)/preload/%.o,loader_enter loader gate_way text)

.DELETE_ON_ERROR:
.PHONY: all check check-all check-built unit bench limits machines demo install uninstall deps help clean format format-check \
	analyse fuzz-smoke fault-injection test-programs

all: $(BUILD)/picket $(SHIM)	## build $(BUILD)/picket and the shim beside it

# ---- the program ---------------------------------------------------------------------------------

# Says at once what is missing, instead of a compiler's complaint about a header.
$(BUILD)/.deps:
	@scripts/deps.sh --only-check build
	@mkdir -p $(@D) && touch $@

# With the archives of the libraries where there are such: loading five shared ones is a tenth of what a run's start takes.
# SHARED_LIBS=1 is for distributions, which mend a library in one place.
LINK_PICKET = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^
$(BUILD)/picket: $(BUILD)/tracer/main.o $(LIB)
	@echo '$(CC) ... -o $@'
	@$(if $(SHARED_LIBS),,$(LINK_PICKET) -Wl,-Bstatic $(PKG_STATIC) -Wl,-Bdynamic $(filter-out $(PKG_LIBS),$(LDLIBS)) 2>/dev/null ||) \
		$(LINK_PICKET) $(LDLIBS)

$(BUILD)/picket-shared: $(BUILD)/tracer/main.o $(LIB)
	$(LINK_PICKET) $(LDLIBS)

$(BUILD)/%.o: %.c | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/policy/profiles.o: $(wildcard policy/profiles/*.conf)

# ---- the shim ------------------------------------------------------------------------------------

# No libc, no vector registers (what a caller passes in them stays), no stack protector (its canary and its failure are
# libc's), nothing of CFLAGS: it is loaded into strangers, and a sanitizer is not at home there.
# In every process it is memory: as small as the compiler can (-Oz: clang, gcc from 12).
SHIM_SMALL := $(shell $(CC) -Oz -xc -E /dev/null >/dev/null 2>&1 && echo -Oz || echo -Os)
SHIM_FLAGS = -std=c17 -D_GNU_SOURCE -iquote policy -iquote preload -DCALLS_NAMELESS $(WARN) $(SHIM_SMALL) -g -ffreestanding \
	     -fPIC -fvisibility=hidden -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-stack-clash-protection \
	     -U_FORTIFY_SOURCE -fno-builtin -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-jump-tables \
	     $(SHIM_LTO)
# And as one whole, where the compiler can without a linker of its own (3 % less; the flags are gcc's). The objects are ordinary
# ones as well, since the code in the gate's page is made of some of them.
SHIM_LTO := $(shell echo 'int x;' | $(CC) -flto -flto-partition=one -fno-ipa-sra -shared -nostdlib -Werror -xc - -o /dev/null \
	      2>/dev/null && echo -flto -ffat-lto-objects -fno-ipa-sra)
# Where a thread may be cancelled, and its stack be unwound through us. With a frame pointer that takes less to describe.
$(patsubst %,$(BUILD)/preload/%.o,beside gate shell wrap): SHIM_FLAGS += -fasynchronous-unwind-tables -fno-omit-frame-pointer \
	-momit-leaf-frame-pointer -fno-lto
$(BUILD)/preload/policy/%.o: policy/%.c
	@mkdir -p $(@D)
	$(CC) $(SHIM_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/preload/%.o: preload/%.c
	@mkdir -p $(@D)
	$(CC) $(SHIM_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/preload/%.o: preload/%.S preload/serve.inc preload/wrap.def preload/note.h
	@mkdir -p $(@D)
	$(CC) -iquote preload -c -o $@ $<
# One segment of code and constants, one of data: each is a mapping that the loader makes in every program; and data that is
# protected after relocation would be one more, and a system call, in a library that trusts nothing of its own anyway.
SHIM_LINK = -Wl,--gc-sections,--hash-style=gnu,--build-id=sha1,-Bsymbolic-functions \
	    -Wl,-z,now,-z,norelro,-z,nodelete,-z,noexecstack,-z,noseparate-code -Wl,-T,preload/shim.ld
$(SHIM): $(SHIM_O) preload/shim.ld
	$(CC) $(if $(SHIM_LTO),$(SHIM_FLAGS) -flto-partition=one) -shared -nostdlib $(SHIM_LINK) -o $@ $(SHIM_O)

$(BUILD)/preload/loader.bin: $(LOADER_O) preload/loader.ld
	$(CC) -fno-lto -nostdlib -static -Wl,-T,preload/loader.ld,--gc-sections,--build-id=none,--oformat=binary -o $@ $(LOADER_O)
$(BUILD)/tracer/gate_code.o: tracer/gate_code.S $(BUILD)/preload/loader.bin
	@mkdir -p $(@D)
	$(CC) -Wa,-I$(BUILD) -c -o $@ $<
$(BUILD)/tracer/absent_code.o: tracer/absent_code.S
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

# ---- programs for tests ----------------------------------------------------------------------------

# A unit test, benchmark or fuzzer is linked with everything but main.
$(BUILD)/tests/test_% $(BUILD)/tests/bench_%: EXTRA_LIBS = $(CHECK_LIBS)
$(BUILD)/tests/fuzz_%: EXTRA_LIBS = -fsanitize=fuzzer
$(TESTS) $(BENCHES) $(FUZZERS): $(BUILD)/tests/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(EXTRA_LIBS) $(LDLIBS)

# Its allocations fail one by one.
$(BUILD)/tests/test_image: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# Programs of their own, with nothing of Picket in them and no sanitizer: they are what gets guarded.
GUARDED = $(CC) -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra
$(HELPERS): $(BUILD)/tests/helpers/%: tests/helpers/%.c $(wildcard tests/helpers/*.h)
	@mkdir -p $(@D)
	$(GUARDED) -o $@ $< -pthread

# That a static program cannot load every library is known here.
STATIC_QUIET = -Wl,--no-warnings
TRIAL_SOURCES := $(filter-out $(addprefix tests/trials/,x86.c intruder.c intruder_library.c host.c),$(wildcard tests/trials/*.c))
TRIAL_DEPS    := $(TRIAL_SOURCES) $(wildcard tests/trials/*.h)
$(BUILD)/tests/trials/trials-dyn: $(TRIAL_DEPS)
	@mkdir -p $(@D)
	$(GUARDED) -o $@ $(TRIAL_SOURCES) -pthread -ldl
$(BUILD)/tests/trials/trials-static: $(TRIAL_DEPS)
	@mkdir -p $(@D)
	$(GUARDED) -static -o $@ $(TRIAL_SOURCES) -pthread $(STATIC_QUIET)
# Loaded at 0x10000, the lowest address an ordinary user may map.
$(BUILD)/tests/trials/trials-low: $(TRIAL_DEPS)
	@mkdir -p $(@D)
	$(GUARDED) -static -no-pie -Wl,-Ttext-segment=0x10000 -o $@ $(TRIAL_SOURCES) -pthread $(STATIC_QUIET)
# A 32-bit program; needs no 32-bit libraries.
$(BUILD)/tests/trials/trials-x86: tests/trials/x86.c
	@mkdir -p $(@D)
	$(CC) -m32 -O1 -nostdlib -static -no-pie -fno-pie -fno-stack-protector -fcf-protection=none -o $@ $<
# What no policy of the trials allows to run or to load, and whom none allows to reach.
$(BUILD)/tests/trials/intruder: tests/trials/intruder.c
	@mkdir -p $(@D)
	$(CC) -O1 -nostdlib -static -fno-stack-protector -o $@ $<
$(BUILD)/tests/trials/intruder.so: tests/trials/intruder_library.c
	@mkdir -p $(@D)
	$(GUARDED) -shared -fPIC -o $@ $<
$(BUILD)/tests/trials/host: tests/trials/host.c
	@mkdir -p $(@D)
	$(GUARDED) -o $@ $<

test-programs: $(BUILD)/picket $(SHIM) $(TESTS) $(HELPERS) $(if $(wildcard tests/trials/*.c),$(TRIALS))

# ---- checking --------------------------------------------------------------------------------------

check:			## install what is missing, build, run all tests
	@scripts/deps.sh build check
	@$(MAKE) --no-print-directory check-built

check-built: test-programs
	@BUILD=$(abspath $(BUILD)) CC=$(CC) tests/run.sh

unit: $(TESTS)		## run only the unit tests
	@BUILD=$(abspath $(BUILD)) tests/run.sh --unit

check-all:		## the tests with gcc, clang, sanitizers, as a release; static analysis, fuzzing, failing calls
	@scripts/deps.sh build check all
	@tests/check_all.sh

analyse:		## clang-tidy and cppcheck
	@tests/analyse.sh

fuzz-smoke: 		## each fuzzer for a short while
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CFLAGS="-O1 -g -Werror -fsanitize=address,undefined,fuzzer-no-link" \
		LDFLAGS="-fsanitize=address,undefined" fuzzers
	@BUILD=$(abspath $(BUILD))/fuzz tests/fuzz_smoke.sh
.PHONY: fuzzers
fuzzers: $(FUZZERS)

# Shared, so that what a library asks for can be told from what Picket does (tests/failing.c).
fault-injection: $(BUILD)/picket-shared $(SHIM) $(BUILD)/tests/failing.so	## the nth allocation or call fails, for every n
	@BUILD=$(abspath $(BUILD)) PICKET=$(abspath $(BUILD))/picket-shared tests/fault_injection.sh
$(BUILD)/tests/failing.so: tests/failing.c
	@mkdir -p $(@D)
	$(GUARDED) -shared -fPIC -o $@ $< -ldl

bench: $(BUILD)/picket $(BENCHES) $(HELPERS)	## what guarding costs, as ratios to the bare run
	@BUILD=$(abspath $(BUILD)) CC=$(CC) tests/bench.sh

limits: $(BUILD)/picket $(SHIM) $(HELPERS)	## what each limit comes to: asked, reached, what tool and result say
	@BUILD=$(abspath $(BUILD)) tests/limits_table.sh

machines: test-programs	## install what is missing, and try it on other machines: kernels and settings, under qemu
	@scripts/deps.sh build machines
	@BUILD=$(abspath $(BUILD)) tests/machines.sh

demo:			## install what is missing, build, and guard an untrusted tool
	@scripts/deps.sh build demo
	@$(MAKE) --no-print-directory all
	@BUILD=$(abspath $(BUILD)) CC=$(CC) examples/demo/run.sh
	@BUILD=$(abspath $(BUILD)) CC=$(CC) examples/plugins/run.sh

format:			## apply .clang-format
	clang-format -i $(EVERY_C)
format-check:		## does .clang-format agree?
	clang-format --dry-run --Werror $(EVERY_C)

# ---- installing ------------------------------------------------------------------------------------

deps:			## install everything needed to build, test and measure
	@scripts/deps.sh build check demo all

D = $(DESTDIR)$(PREFIX)
install: $(BUILD)/picket $(SHIM)	## install under PREFIX (/usr/local), below DESTDIR
	install -Dm755 $(BUILD)/picket $(D)/bin/picket
	install -Dm755 $(SHIM) $(D)/lib/picket/libpicket-preload.so
	for m in man/*.1; do install -Dm644 $$m $(D)/share/man/man1/$${m##*/}; done
	for m in man/*.5; do install -Dm644 $$m $(D)/share/man/man5/$${m##*/}; done
	for m in man/*.7; do install -Dm644 $$m $(D)/share/man/man7/$${m##*/}; done
	for p in policy/profiles/*.conf; do install -Dm644 $$p $(D)/share/picket/profiles/$${p##*/}; done
	for e in examples/*.conf; do install -Dm644 $$e $(D)/share/picket/examples/$${e##*/}; done
	install -d $(D)/share/bash-completion/completions $(D)/share/zsh/site-functions $(D)/share/fish/vendor_completions.d
	$(BUILD)/picket completion bash >$(D)/share/bash-completion/completions/picket
	$(BUILD)/picket completion zsh >$(D)/share/zsh/site-functions/_picket
	$(BUILD)/picket completion fish >$(D)/share/fish/vendor_completions.d/picket.fish

uninstall:		## remove what `make install` put there
	rm -f $(D)/bin/picket $(D)/share/man/man1/picket.1 $(D)/share/man/man5/picket-policy.5 \
		$(D)/share/man/man5/picket-result.5 $(D)/share/man/man5/picket-plugin.5 $(D)/share/man/man7/picket.7 \
		$(D)/share/bash-completion/completions/picket $(D)/share/zsh/site-functions/_picket $(D)/share/fish/vendor_completions.d/picket.fish
	rm -rf $(D)/share/picket $(D)/lib/picket

help:			## this list
	@sed -n 's/^\([a-z-]*\):[^#]*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 26
	@echo '  Variables: CC CFLAGS BUILD ($(BUILD)) PREFIX ($(PREFIX)) DESTDIR SHARED_LIBS; MUST_WORK=1: a skipped test fails'

clean:			## remove the build directory
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
