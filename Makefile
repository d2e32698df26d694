# task-runner-python: `make run` shows it, `make test` tests it; see README.md.
#
#   PYTHON=python3.13   the interpreter to embed (a command or a path)
#   CC=clang            the compiler
#   SANITIZE=1          AddressSanitizer and UndefinedBehaviorSanitizer
#   BUILD=DIR           where everything is built
#   FAULTS=1            programs whose calls fail by order, for `make faults`
#   ONLY=WORD           the tests whose names have WORD
#   SECONDS_EACH=15     how long `make fuzz` runs each target; 0: until it is stopped
#   TARGET=WORD         the targets whose names have WORD
#   PREFIX=/usr/local   where `make install` puts it, below DESTDIR
#   MINUTES=10 SEED=1   for soak, chaos and model
#   N8N=DIR             for install-n8n: the folder of n8n's package, or one with node_modules/n8n

ifeq ($(origin CC),default)
CC := cc
endif
BUILD ?= build$(if $(SANITIZE),/sanitize)$(if $(FAULTS),/faults)
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
PYTHON ?=
ONLY ?=
PREFIX ?= /usr/local
DESTDIR ?=
N8N ?=
VS ?=
SECONDS_EACH ?= 15
TARGET ?=
KEEP ?=
SHORT ?=
MINUTES ?=
SEED ?= 1
export CC PYTHON N8N

# Found when it is first needed, which is after `deps`, and then kept.
PYTHON_FOUND = $(eval PYTHON_FOUND := $$(shell pyvenv/find-python $(PYTHON) 2>/dev/null))$(PYTHON_FOUND)

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wswitch-enum -Werror
HARDENING = $(if $(SANITIZE)$(FAULTS),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SANITIZERS = $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
# With LIBFUZZER, which `make fuzz` sets for its own build, it sees which code an input reaches.
SANITIZERS += $(if $(LIBFUZZER),-fsanitize=fuzzer-no-link)
, := ,
OPTIMIZE ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) $(OPTIMIZE) $(HARDENING) $(SANITIZERS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANITIZERS) $(LDFLAGS)

VERSION := 0.1.0

RUNNER = $(BUILD)/task-runner-python
ZYGOTE = $(BUILD)/task-runner-zygote
BROKER = $(BUILD)/demo-broker
UNDER_PROFILE = $(BUILD)/under-profile
RAWCALL = $(BUILD)/sandbox/rawcall.so
# The default build's environment stands in pyvenv/, with a link beside the programs, which look there.
VENV = $(if $(filter build,$(BUILD)),pyvenv/venv,$(BUILD)/venv)

BASE_SRC = $(wildcard runner/base/*.c)
HOST_SRC = $(BASE_SRC) $(wildcard runner/host/*.c) allowlist/policy.c pyvenv/venv.c
ZYGOTE_SRC = $(BASE_SRC) $(wildcard runner/zygote/*.c allowlist/*.c pyvenv/*.c)
BROKER_SRC = $(BASE_SRC) $(wildcard tests/broker/*.c)
UNDER_PROFILE_SRC = $(BASE_SRC) tests/sandbox/under_profile.c
# What stands before the C library in a build with FAULTS; under a sanitizer, which stands there itself,
# the linker puts it before our own code.
SHIM_SRC = $(if $(FAULTS),tests/faults/shim.c)
HOOKED = malloc calloc realloc mmap mmap64 fork pipe pipe2 socketpair memfd_create read readv recv recvmsg write writev \
    send sendmsg clock_gettime gettimeofday time PyOS_AfterFork_Child
SHIM_LDFLAGS = $(if $(FAULTS),$(if $(SANITIZE),$(HOOKED:%=-Wl$(,)--wrap=%)))
HOST_TEST_SRC = $(wildcard tests/unit/host/*.c)
ZYGOTE_TEST_SRC = $(wildcard tests/unit/zygote/*.c)
HOST_FUZZ_SRC = $(wildcard tests/fuzz/host/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/$(1)/%.o,$(2))
HOST_OBJ = $(call obj,host,$(HOST_SRC))
ZYGOTE_OBJ = $(call obj,zygote,$(ZYGOTE_SRC))
HOST_SHIM = $(call obj,host,$(SHIM_SRC))
ZYGOTE_SHIM = $(call obj,zygote,$(SHIM_SRC))
BROKER_OBJ = $(call obj,host,$(BROKER_SRC))
UNDER_PROFILE_OBJ = $(call obj,host,$(UNDER_PROFILE_SRC))
# A fuzz target is also a unit test: without libFuzzer it runs the inputs that are kept.
HOST_FUZZ = $(patsubst tests/fuzz/host/%.c,$(BUILD)/unit/fuzz/%,$(HOST_FUZZ_SRC))
FUZZ = $(HOST_FUZZ) $(BUILD)/unit/fuzz/json_python
FUZZ_SRC = tests/fuzz/fuzz.c tests/fuzz/grammar.c
FUZZ_ENGINE = $(if $(LIBFUZZER),,tests/fuzz/replay.c)
UNIT_TESTS = $(patsubst tests/%.c,$(BUILD)/%,$(HOST_TEST_SRC) $(ZYGOTE_TEST_SRC)) $(FUZZ)
# A unit test is linked with the whole program but its main().
HOST_PARTS = $(filter-out %/main.o,$(HOST_OBJ))
ZYGOTE_PARTS = $(filter-out %/main.o,$(ZYGOTE_OBJ))

# lws is built on OpenSSL by Debian and Alpine; we ask it why a connection failed.
HOST_PACKAGES = libwebsockets libcjson openssl
HOST_CFLAGS = -DVERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags $(HOST_PACKAGES))
HOST_LIBS = $(shell $(PKG_CONFIG) --libs-only-L --libs-only-l $(HOST_PACKAGES)) -lpthread
# The zygote's own library; it has no other but CPython's.
ZYGOTE_PACKAGES = libseccomp
PYTHON_CFLAGS = $(eval PYTHON_CFLAGS := $$(shell pyvenv/python-flags $(PYTHON_FOUND) cflags; $(PKG_CONFIG) --cflags $(ZYGOTE_PACKAGES)))$(PYTHON_CFLAGS)
PYTHON_LIBS = $(eval PYTHON_LIBS := $$(shell pyvenv/python-flags $(PYTHON_FOUND) libs; $(PKG_CONFIG) --libs $(ZYGOTE_PACKAGES)))$(PYTHON_LIBS)

# With one of these goals, packages are installed before anything is compiled.
NEEDS_DEPS = $(if $(filter deps run bench bench-profile bench-growth soak chaos model memory,$(MAKECMDGOALS)),deps) \
    $(if $(filter test test-packages test-n8n faults,$(MAKECMDGOALS)),deps-test)

.PHONY: all build run deps deps-test venv install uninstall install-n8n uninstall-n8n \
    packages test test-packages test-image test-n8n faults unit fuzz fuzzers \
    bench bench-profile bench-growth draw-growth soak chaos model memory valgrind \
    check analyze check-musl format clean
.DELETE_ON_ERROR:

all: build

build: $(RUNNER) $(ZYGOTE) $(BROKER)

deps:
	@runner/install-deps

deps-test:
	@runner/install-deps test

# Does nothing while extras.txt and the interpreter are what it was built from.
venv: $(BUILD)/flags
	@$(PYTHON_FOUND) -I pyvenv/make_venv.py $(VENV) extras.txt
	@test $(VENV) = $(BUILD)/venv || { rm -rf $(BUILD)/venv && ln -s ../pyvenv/venv $(BUILD)/venv; }

# The program looks for its zygote and its venv beside the file that it really is, not beside the link.
LIBRARY = $(DESTDIR)$(PREFIX)/lib/task-runner-python
COMMAND = $(DESTDIR)$(PREFIX)/bin/task-runner-python

# A path with a blank would be two.
ONE_PATH = $(if $(filter-out 1,$(words [$(DESTDIR)$(PREFIX)])),$(error DESTDIR and PREFIX can't have blanks in them))

install: $(RUNNER) $(ZYGOTE)
	$(ONE_PATH)install -d $(LIBRARY) $(dir $(COMMAND))
	install $(RUNNER) $(ZYGOTE) $(LIBRARY)
	ln -sfn ../lib/task-runner-python/task-runner-python $(COMMAND)
	if [ -f $(VENV)/pyvenv.cfg ]; then pyvenv/copy-venv $(VENV) $(LIBRARY)/venv; fi

uninstall:
	$(ONE_PATH)rm -rf $(LIBRARY)
	rm -f $(COMMAND)

# Serves the broker that the environment names; shows sample Code nodes when it names none.
run: deps build venv
	@PYTHONDONTWRITEBYTECODE=1 tests/demo/run $(BUILD) $(PYTHON_FOUND)

test: deps-test build venv unit $(UNDER_PROFILE) $(RAWCALL)
	@PYTHONDONTWRITEBYTECODE=1 tests/run $(BUILD) $(PYTHON_FOUND) $(ONLY)

# Packages from the index, at work behind the walls: needs the network, the first time.
packages:
	@$(PYTHON_FOUND) -I pyvenv/make_venv.py $(BUILD)/packages/venv tests/packages/extras.txt

test-packages: deps-test build venv packages $(UNDER_PROFILE)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/packages/run.py $(BUILD) $(ONLY)

# Every call on a task's path fails once in turn, in programs of a build of their own.
faults: deps-test
	@$(MAKE) --no-print-directory FAULTS=1 build venv
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/faults/run.py build$(if $(SANITIZE),/sanitize)/faults $(ONLY)

# Under a real n8n, which the first run installs into a cache: some minutes, 3 GB.
test-n8n: deps-test build venv
	@n8n=$$(tests/e2e/get-n8n) && \
	    PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/e2e/run.py $(BUILD) "$$n8n" $(ONLY)

# Where n8n's internal mode looks for its Python runner.
install-n8n:
	@runner/install-n8n "$$N8N" $(RUNNER)

uninstall-n8n:
	@runner/install-n8n --remove "$$N8N"

unit: $(UNIT_TESTS)

# In a build of its own, with clang and its libFuzzer.
fuzz: deps
	@MAKE='$(MAKE)' SECONDS_EACH='$(SECONDS_EACH)' tests/fuzz/run $(BUILD)/fuzz '$(TARGET)'

fuzzers: $(FUZZ) $(BUILD)/differential

# VS='COMMAND' measures another runner in turn, ONLY=WORD some figures; KEEP=1 keeps them in figures.json.
bench: deps build venv packages
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/bench/bench.py $(BUILD) --vs '$(VS)' --only '$(ONLY)' \
	    $(if $(KEEP),--keep)

# Where the processor's time goes under load, as a flame graph; needs perf, and leave to use it.
bench-profile: deps build
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/bench/profiler.py $(BUILD)

# How cost grows: measures tests/bench/growth.json and draws growth.svg, some minutes; SHORT=1 tries it, in BUILD.
GROWTH = $(if $(SHORT),$(BUILD),tests/bench)/growth
bench-growth: deps build
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/bench/growth.py $(BUILD) $(GROWTH).json $(if $(SHORT),--short)
	@$(MAKE) --no-print-directory draw-growth

# Draws it again without measuring.
draw-growth:
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/bench/plot.py $(GROWTH).json $(GROWTH).svg
	@echo "The plot is in $(GROWTH).svg"

# For MINUTES, drawn from SEED: mixed tasks at full load; kills of everything; a random broker and a model.
soak chaos model: deps build venv
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/soak/$@.py $(BUILD) $(or $(MINUTES),$(MINUTES_OF_$@)) $(SEED)
MINUTES_OF_soak = 10
MINUTES_OF_chaos = 5
MINUTES_OF_model = 5

memory: deps build venv
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/soak/memory.py $(BUILD) 10000 $(SEED)

# A build of its own, for valgrind sees into no allocator but malloc.
valgrind: deps
	@$(MAKE) --no-print-directory build venv BUILD=$(BUILD)/valgrind CFLAGS='$(CFLAGS) -DUNDER_VALGRIND'
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/soak/valgrind.py $(BUILD)/valgrind $(SEED)

# Builds the images without a daemon, and runs them; SUITE=bookworm on that Debian instead of trixie.
test-image: build
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON_FOUND) -I tests/images/run.py $(BUILD) $(ONLY)

# cppcheck, clang-tidy and gcc -fanalyzer: some minutes.
analyze: $(BUILD)/flags
	@tests/check-analysis -std=c17 -D_GNU_SOURCE -I. $(HOST_CFLAGS) $(PYTHON_CFLAGS)

check-musl: $(BUILD)/flags
	@tests/musl/run $(PYTHON_FOUND)

check:
	@tests/check-format $(CLANG_FORMAT)
	@tests/check-includes

format:
	git ls-files '*.c' '*.h' | xargs $(CLANG_FORMAT) -i

# Everything is built anew when what it is built with changes; what is missing is said here, once.
$(BUILD)/flags: FORCE | $(NEEDS_DEPS)
	@mkdir -p $(@D)
	@test "$$(uname -s)" = Linux || { echo "The runner's walls are Linux's: it is built on Linux only." >&2; exit 1; }
	@test -n '$(PYTHON_FOUND)' || { pyvenv/find-python $(PYTHON); exit 1; }
	@$(PKG_CONFIG) --exists $(HOST_PACKAGES) $(ZYGOTE_PACKAGES) || \
	    { echo 'libwebsockets, cJSON, OpenSSL or libseccomp is missing: try `make deps`' >&2; exit 1; }
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PYTHON_FOUND) $(VERSION)' | cmp -s - $@ || \
	    printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PYTHON_FOUND) $(VERSION)' >$@
FORCE:

$(BUILD)/obj/host/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/zygote/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PYTHON_CFLAGS) -MMD -MP -c $< -o $@

$(RUNNER): $(HOST_OBJ) $(HOST_SHIM)
	$(CC) $(ALL_LDFLAGS) $(SHIM_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(ZYGOTE): $(ZYGOTE_OBJ) $(ZYGOTE_SHIM)
	$(CC) $(ALL_LDFLAGS) $(SHIM_LDFLAGS) $^ $(PYTHON_LIBS) -o $@

$(BROKER): $(BROKER_OBJ)
	$(CC) $(ALL_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(UNDER_PROFILE): $(UNDER_PROFILE_OBJ)
	$(CC) $(ALL_LDFLAGS) $^ $(HOST_LIBS) $(shell $(PKG_CONFIG) --libs libseccomp) -o $@

# An extension module for the tasks under test; the zygote brings CPython and a sanitizer's run time.
$(RAWCALL): tests/sandbox/rawcall.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) -O2 -fPIC -shared $(PYTHON_CFLAGS) $< -o $@

$(BUILD)/unit/host/%: $(BUILD)/obj/host/tests/unit/host/%.o $(HOST_PARTS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(HOST_LIBS) -lcmocka -o $@

$(BUILD)/unit/zygote/%: $(BUILD)/obj/zygote/tests/unit/zygote/%.o $(ZYGOTE_PARTS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(PYTHON_LIBS) -lcmocka -o $@

$(HOST_FUZZ): $(BUILD)/unit/fuzz/%: $(BUILD)/obj/host/tests/fuzz/host/%.o \
    $(call obj,host,$(FUZZ_SRC) $(FUZZ_ENGINE)) $(HOST_PARTS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(LIBFUZZER:%=-fsanitize=fuzzer) $^ $(HOST_LIBS) -o $@

ZYGOTE_FUZZ_OBJ = $(call obj,zygote,$(FUZZ_SRC)) $(ZYGOTE_PARTS)

$(BUILD)/unit/fuzz/json_python: $(call obj,zygote,tests/fuzz/zygote/json_python.c \
    tests/fuzz/zygote/reference.c $(FUZZ_ENGINE)) $(ZYGOTE_FUZZ_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(LIBFUZZER:%=-fsanitize=fuzzer) $^ $(PYTHON_LIBS) -o $@

$(BUILD)/differential: $(call obj,zygote,tests/fuzz/zygote/differential.c) $(ZYGOTE_FUZZ_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(PYTHON_LIBS) -o $@

.SECONDARY:

clean:
	rm -rf build pyvenv/venv

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
