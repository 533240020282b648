// Who is still there of a run: every process that carries its mark, works in its folder, or was started by a path in it.
//
// One of the three would not do: a process may have written over its environment, and of a supervisor nobody but root
// may read more than the command line.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

function attempt(read) {
  try {
    return read();
  } catch {
    return ''; // it has gone, or isn't ours to look at
  }
}

function look(pid) {
  return {
    pid: Number(pid),
    state: attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /s, '')[0],
    line: attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1')).replaceAll('\0', ' ').trim(),
    cwd: attempt(() => readlinkSync(`/proc/${pid}/cwd`)),
    environ: attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1')),
  };
}

// [{ pid, line }] of those that live; `mark` is the value of FUNKYTOWN_TEST_MARK.
export function processesOf({ mark, folder }) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(look)
    .filter(({ state }) => state && state !== 'Z' && state !== 'X')
    .filter(({ line, cwd, environ }) =>
      line.includes(folder) || cwd.startsWith(folder) || environ.includes(`FUNKYTOWN_TEST_MARK=${mark}`))
    .map(({ pid, line }) => ({ pid, line }));
}
