#!/bin/sh
# Runs the suites (all, or those named) and ends with one line "N passed, N failed". A skipped test is a failure.
#
#   unit        cmocka: the pure modules, and supervision of real processes
#   redis       cmocka: links and scripts on a private redis-server, the model test and its mutants
#   e2e         the real daemons, from spec map to verdict, and what happens when they die
#   faults      the real daemons under injected faults, and one checker after each; makes networks and mounts, for which
#               an ordinary user needs the right to user namespaces.
#               faults --storm N [--seed S]: N long runs under a random mix of them, and nothing else
#   runners     our reporters under real Playwright, Mocha and WebdriverIO, the command lines of the built-in runners, and what
#               is run of a folder without a spec map
#   page        the page's pure modules
#   browser     the page in Chromium: on a made-up run that the test steps through, and on real controllers
#   formats     the files of a run, read by readers that are not ours
#   deploy      images, compose file and manifests agree with the options and with Kubernetes' own schemas
#   sanitizers  unit, redis, e2e, the faults and the page of real controllers once more under AddressSanitizer and
#               UndefinedBehaviorSanitizer
#   clang       the second compiler finds nothing to warn of
#   fuzz        what parses other people's bytes, under libFuzzer and both sanitizers: every seed of tests/fuzz/corpus,
#               then a few seconds of new inputs; what crashed stays in a temporary folder, and is shown.
#               fuzz --seconds N [--keep] [FUZZER ...]: N seconds for each, or for those named, and nothing else;
#               --keep adds to the corpus what reached something new. build/fuzz/fuzzers/FUZZER FILE runs one input
set -u
STORM_RUNS=5   # in the suite; a hundred by hand
FUZZ_SECONDS=4 # for each fuzzer in the suite; minutes by hand
cd "$(dirname "$0")/.." || exit 2
passed=0
failed=0
FUZZ_KEEP=
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Adds what a suite counted; a suite that ended badly without a failed test of its own counts as one failure.
count() {
    name=$1 status=$2 good=$3 bad=$4
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$good" -gt 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '%-22s %4d passed, %d failed (%d s)\n' "$name" "$good" "$bad" $(($(date +%s) - started))
    [ "$bad" -eq 0 ] || show_log
}

# The last line, and the exit status.
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# Of TAP only what failed; else the end.
show_log() {
    if grep -q '^ *not ok ' "$log"; then
        awk '/^ *not ok /  { shown = 1 } /^ *ok / { shown = 0 } shown' "$log" | head -n 300
    else
        tail -n 150 "$log"
    fi
}

# Sum of the numbers that follow a word at the start of a line of the log.
sum() {
    sed -n "s/^[#ℹ ]*$1 \([0-9][0-9]*\).*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'
}

# The number before a word in Playwright's closing lines.
browser_sum() {
    sed -n "s/^ *\([0-9][0-9]*\) $1.*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'
}

cmocka_suite() {
    started=$(date +%s)
    ctest --test-dir "$2" -R "^$3\." --output-on-failure -j 2 >"$log" 2>&1
    status=$?
    total=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$log")
    bad=$(sed -n 's/.* \([0-9]*\) tests failed out of.*/\1/p' "$log")
    count "$1" "$status" $((${total:-0} - ${bad:-0})) "${bad:-0}"
}

# `as` stands before the command. When its tests have ended a file is left without looking back: Debian 13's Node now and
# then goes round for ever in closing what a test with sockets has left.
node_suite() {
    name=$1 build=$2
    shift 2
    started=$(date +%s)
    FUNKYTOWN_BUILD=$build ${as:-} node --test --test-force-exit --test-concurrency=2 --test-reporter=tap "$@" >"$log" 2>&1
    status=$?
    count "$name" "$status" "$(sum pass)" $(($(sum fail) + $(sum cancelled) + $(sum skipped) + $(sum todo)))
}

build_preset() {
    started=$(date +%s)
    { cmake --preset "$1" && cmake --build --preset "$1"; } >"$log" 2>&1
    status=$?
    count "build ($1)" "$status" $((status == 0)) 0
}

need_npm() {
    [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] ||
        (cd "$1" && npm ci --silent --no-fund --no-audit && touch node_modules/.package-lock.json)
}

suite_unit() { cmocka_suite unit build unit; }
suite_redis() { cmocka_suite redis build redis; }
suite_e2e() { node_suite e2e build tests/e2e/*.test.mjs; }
faults_suite() {
    as=tests/fault/as_root.sh
    node_suite "$1" "$2" tests/fault/*.test.mjs
    as=
}
suite_faults() {
    faults_suite faults build
    started=$(date +%s)
    node tests/fault/storm.mjs $STORM_RUNS >"$log" 2>&1
    status=$?
    count 'faults, storm' "$status" "$(grep -c ': sound$' "$log")" "$(grep -c ' FLAWS$' "$log")"
}
suite_runners() {
    need_npm tests/runners
    node_suite runners build tests/runners/*.test.mjs
}
suite_page() {
    need_npm html
    need_npm tests/browser
    node_suite page build tests/browser/unit/*.test.mjs
}
suite_browser() {
    need_npm tests/browser
    started=$(date +%s)
    (cd tests/browser && CI=true FUNKYTOWN_BUILD="${1:-build}" node_modules/.bin/playwright test ${3:-}) >"$log" 2>&1
    status=$?
    count "browser${2:-}" "$status" "$(browser_sum passed)" $(($(browser_sum failed) + $(browser_sum flaky) + $(browser_sum skipped) + $(browser_sum 'did not run')))
}
suite_formats() {
    need_npm tests/formats
    node_suite formats build tests/formats/*.test.mjs
}
suite_deploy() {
    need_npm tests/deploy
    node_suite deploy build tests/deploy/*.test.mjs
}
suite_sanitizers() {
    build_preset asan
    cmocka_suite 'unit (sanitizers)' build/asan unit
    cmocka_suite 'redis (sanitizers)' build/asan redis
    node_suite 'e2e (sanitizers)' build/asan tests/e2e/*.test.mjs
    faults_suite 'faults (sanitizers)' build/asan
    suite_browser build/asan ' (sanitizers)' --project=controller
}
suite_clang() { build_preset clang; }

# Every seed of one fuzzer's corpus, then new inputs. Whatever it writes goes below $found.
fuzz_one() {
    corpus=tests/fuzz/corpus/$1 dictionary=tests/fuzz/$1.dict
    mkdir -p "$found/$1"
    [ -f "$dictionary" ] && dictionary=-dict=$dictionary || dictionary=
    # shellcheck disable=SC2086 # no dictionary is no word
    build/fuzz/fuzzers/"$1" -artifact_prefix="$found/$1-" -timeout=10 "$corpus"/* &&
        build/fuzz/fuzzers/"$1" -artifact_prefix="$found/$1-" -timeout=10 -max_total_time="$FUZZ_SECONDS" \
            -print_final_stats=1 $dictionary "$found/$1" "$corpus"
}

# Adds what reaches a line that no seed reaches; how often a line was reached is no reason, or there would be thousands.
keep_seeds() {
    build/fuzz/fuzzers/"$1" -set_cover_merge=1 -use_counters=0 "tests/fuzz/corpus/$1" "$found/$1"
}

# Path and bytes of what crashed: libFuzzer's copies of new inputs or, without one, the seed that was run last.
show_crashes() {
    set -- "$found/$1"-*
    [ -f "$1" ] || set -- "$(sed -n 's/^Running: //p' "$log" | tail -n 1)"
    for crash in "$@"; do
        [ ! -f "$crash" ] || printf '%s:\n%s\n' "$crash" "$(base64 -w 0 "$crash")"
    done
}

# What was found is left only when something crashed.
suite_fuzz() {
    build_preset fuzz
    [ "$status" -eq 0 ] || return 0
    found=$(mktemp -d)
    crashed=0
    if [ $# -eq 0 ]; then
        set -- build/fuzz/fuzzers/*_fuzz
    fi
    for fuzzer in "$@"; do
        fuzzer=${fuzzer##*/}
        started=$(date +%s)
        fuzz_one "$fuzzer" >"$log" 2>&1
        status=$?
        if [ "$status" -eq 0 ] && [ -n "$FUZZ_KEEP" ]; then
            keep_seeds "$fuzzer" >>"$log" 2>&1
            status=$?
        fi
        count "fuzz, ${fuzzer%_fuzz}" "$status" $((status == 0)) $((status != 0))
        if [ "$status" -ne 0 ]; then
            show_crashes "$fuzzer"
            crashed=1
        elif [ "$FUZZ_SECONDS" -ge 60 ]; then
            grep -E '^#[0-9]+.*DONE|^stat::number_of_executed' "$log"
        fi
    done
    [ "$crashed" -eq 1 ] || rm -rf "$found"
}

case "${1:-} ${2:-}" in
'faults --storm')
    shift 2
    exec node tests/fault/storm.mjs "$@"
    ;;
'fuzz --seconds')
    case ${3:-} in
    '' | *[!0-9]*)
        echo "tests: fuzz --seconds: found \"${3:-}\", wanted a number of seconds" >&2
        exit 2
        ;;
    esac
    FUZZ_SECONDS=$3
    shift 3
    if [ "${1:-}" = --keep ]; then
        FUZZ_KEEP=yes
        shift
    fi
    suite_fuzz "$@"
    finish
    ;;
esac
[ $# -gt 0 ] || set -- unit redis e2e faults runners formats page browser deploy sanitizers clang fuzz
for suite in "$@"; do
    case $suite in
    unit | redis | e2e | faults | runners | formats | page | browser | deploy | sanitizers | clang | fuzz) "suite_$suite" ;;
    *)
        echo "tests: $suite: no such suite; there are unit redis e2e faults runners formats page browser deploy sanitizers clang fuzz" >&2
        exit 2
        ;;
    esac
done
finish
