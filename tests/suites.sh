#!/bin/sh
# Runs the suites (all, or those named) and ends with one line "N passed, N failed". A skipped test is a failure.
#
#   unit        cmocka: the pure modules, and supervision of real processes
#   redis       cmocka: links and scripts on a private redis-server, the model test and its mutants
#   e2e         the real daemons, from spec map to verdict, and what happens when they die
#   faults      the real daemons under injected faults, and one checker after each; makes networks and mounts, for which
#               an ordinary user needs the right to user namespaces.
#               faults --storm N [--seed S]: N long runs under a random mix of them, and nothing else
#   runners     our Playwright reporter under real Playwright
#   page        the page's pure modules
#   browser     the page in Chromium: on a made-up run that the test steps through, and on real controllers
#   deploy      images, compose file and manifests agree with the options and with Kubernetes' own schemas
#   sanitizers  unit, redis, e2e, the faults and the page of real controllers once more under AddressSanitizer and
#               UndefinedBehaviorSanitizer
#   clang       the second compiler finds nothing to warn of
set -u
STORM_RUNS=5 # in the suite; a hundred by hand
cd "$(dirname "$0")/.." || exit 2
passed=0
failed=0
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

# `as` stands before the command.
node_suite() {
    name=$1 build=$2
    shift 2
    started=$(date +%s)
    FUNKYTOWN_BUILD=$build ${as:-} node --test --test-concurrency=2 --test-reporter=tap "$@" >"$log" 2>&1
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
suite_runners() { node_suite runners build tests/runners/*.test.mjs; }
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

case "${1:-} ${2:-}" in
'faults --storm')
    shift 2
    exec node tests/fault/storm.mjs "$@"
    ;;
esac
[ $# -gt 0 ] || set -- unit redis e2e faults runners page browser deploy sanitizers clang
for suite in "$@"; do
    case $suite in
    unit | redis | e2e | faults | runners | page | browser | deploy | sanitizers | clang) "suite_$suite" ;;
    *)
        echo "tests: $suite: no such suite; there are unit redis e2e faults runners page browser deploy sanitizers clang" >&2
        exit 2
        ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
