#!/bin/sh
# The benchmarks: each compares with a baseline in the same run, as machines are noisy.
set -eu
cd "$(dirname "$0")/../.."
echo 'supervision against a bare posix_spawn loop, two at a time:'
build/bin/spawn_bench 4000 2
echo 'the board with 100,000 tasks:'
build/bin/board_bench
