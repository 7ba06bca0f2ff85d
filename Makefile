# A thin front for CMake: `make help` says what there is.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
CMAKE_FLAGS ?=
TEST_TIMEOUT ?= 600
SOAK_TIMEOUT ?= 14400

need = @sh cmake/bootstrap.sh
configure = cmake --preset $(1) $(CMAKE_FLAGS) >/dev/null
build = $(configure) && MAKEFLAGS=--no-print-directory cmake --build --preset $(1) --parallel $(JOBS)
ctest = ctest --output-on-failure --no-tests=error --parallel $(JOBS)

.PHONY: all run test soak test-asan test-tsan bench-pool bench-counting bench-python bench-kinds bench-tracing bench-tiny tiny-size bench-dotnet python-package install format lint coverage \
	amalgamation clean help

all: ## build everything; the tool is build/heapwright
	$(need) build
	$(call build,release)

run: all ## run the Python examples on heapwright and print what their memory did, and the same in C
	sh examples/python/run-all.sh build/heapwright
	@printf '\n---- graph.c: the same in C ----\n'
	@build/examples/c/graph

test: ## install what is needed, build, run the tests
	$(need) build test
	$(call build,release)
	$(ctest) --test-dir build --timeout $(TEST_TIMEOUT)

soak: ## the long versions of the tests: hours
	$(need) build test fuzz cross
	$(call build,release)
	HEAPWRIGHT_SOAK=1 $(ctest) --test-dir build --build-config Soak --timeout $(SOAK_TIMEOUT)

test-asan: ## the tests under the address and undefined-behaviour sanitizers
test-tsan: ## the tests with several threads under the thread sanitizer
test-asan test-tsan: test-%:
	$(need) build test sanitize
	$(call build,$*)
	$(fixed_addresses) $(ctest) --test-dir build-$* --timeout $(TEST_TIMEOUT) $(tests_chosen)

# The thread sanitizers of older compilers cannot start where addresses are random in more than 28 bits.
test-tsan: tests_chosen = --tests-regex 'threads|raw'
test-tsan: fixed_addresses = $(shell setarch -R true 2>/dev/null && echo setarch -R)

bench-pool: ## the pool against other allocators
	$(need) build bench
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/pool.py

bench-counting: ## the counting collector against CPython's, Nim's, and malloc
	$(need) build bench
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/counting.py

bench-kinds: ## the kinds against CPython's C API and GLib
	$(need) build bench
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/kinds.py

bench-tracing: ## the tracing collector against libgc, Java, and malloc
	$(need) build bench bench-tracing
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/tracing.py

bench-tiny: ## the tiny collector: its speed, its size, and what a small mark stack costs
	$(need) build bench test
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/tiny.py

tiny-size: ## how large the tiny collector is on each processor
	@python3 bench/tiny_size.py

bench-dotnet: all ## C# programs on heapwright against the runtime's own collector
	HEAPWRIGHT_BUILD=build python3 bench/dotnet.py

bench-python: ## Python on heapwright against Python on its own allocator
	$(need) build bench
	$(call build,release) --target all bench
	HEAPWRIGHT_BUILD=build python3 bench/python.py

python-package: all ## build the Python package: a source distribution and a wheel in build/dist
	$(need) package
	rm -rf build/dist
	python3 cmake/python_package.py build build/dist

install: all ## install below PREFIX (and DESTDIR)
	DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

format: ## bring all C into the project's style
	$(need) lint
	@sh cmake/lint.sh format

lint: ## check the style and look for faults; nothing may be found
	$(need) build test lint
	$(call configure,debug)
	@sh cmake/lint.sh check build-debug

coverage: ## which lines of the library the tests run: at least 95 % of them
	$(need) build test coverage
	$(call build,coverage)
	find build-coverage -name '*.gcda' -delete
	$(ctest) --test-dir build-coverage --timeout $(TEST_TIMEOUT)
	gcovr --root . --object-directory build-coverage --gcov-ignore-parse-errors \
		--filter src/ --fail-under-line 95

amalgamation: ## write the one-file form: build/amalgamation/heapwright.c and heapwright.h
	$(need) build
	$(call build,release) --target amalgamation

clean: ## remove everything that was built
	rm -rf build build-*

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "    make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
