#!/bin/sh
# The benchmarks: each compares with a baseline in the same run, as machines are noisy.
set -eu
cd "$(dirname "$0")/../.."
echo 'the whole way of a task against a bare posix_spawn loop:'
node tests/bench/queue_bench.mjs "$@"
echo 'supervision alone against a bare posix_spawn loop:'
build/bin/spawn_bench 4000 2
echo 'the board with 100,000 tasks:'
build/bin/board_bench
