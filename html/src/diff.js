// What was expected and what came, as lines: which are the same, which are only in one of them, and in a line that was
// changed, which words. Pure; bounded: texts that are too long or too different to be compared stand one below the other.

const MOST_LINES = 400;
const MOST_WORDS = 300;
// Words that have less in common than this are another line, not a changed one.
const LEAST_COMMON = 0.3;

/**
 * @returns lines, each { side, pieces: [{ text, changed }] }; side: 'both', 'expected' or 'received'. Of a change what was
 * expected comes first.
 */
export function diffTexts(expected, received) {
  const [a, b] = [expected.split('\n'), received.split('\n')];
  if (a.length > MOST_LINES || b.length > MOST_LINES) return [...a.map((text) => whole('expected', text)), ...b.map((text) => whole('received', text))];
  const lines = [];
  for (const { same, left, right } of compare(a, b)) {
    if (same) lines.push(...left.map((text) => whole('both', text)));
    else lines.push(...changedLines(left, right));
  }
  return lines;
}

const whole = (side, text, changed = false) => ({ side, pieces: [{ text, changed }] });

// Lines that stand at the same place of a change are compared word by word.
function changedLines(left, right) {
  const pairs = left.map((text, i) => (i < right.length ? diffWords(text, right[i]) : null));
  return [
    ...left.map((text, i) => pairs[i]?.[0] ?? whole('expected', text)),
    ...right.map((text, i) => pairs[i]?.[1] ?? whole('received', text)),
  ];
}

// -> the two lines, or null: they have too little in common.
function diffWords(expected, received) {
  const words = (text) => text.match(/\w+|\s+|[^\w\s]/gu) ?? [];
  const [a, b] = [words(expected), words(received)];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return null;
  const [left, right] = [{ side: 'expected', pieces: [] }, { side: 'received', pieces: [] }];
  let common = 0;
  for (const { same, left: own, right: other } of compare(a, b)) {
    if (same) common += own.join('').trim().length;
    if (own.length) left.pieces.push({ text: own.join(''), changed: !same });
    if (other.length) right.pieces.push({ text: other.join(''), changed: !same });
  }
  return common >= LEAST_COMMON * Math.max(expected.trim().length, received.trim().length) ? [left, right] : null;
}

// Two lists -> runs of what is the same and what isn't, by their longest common subsequence: [{ same, left, right }].
function compare(a, b) {
  let [start, endA, endB] = [0, a.length, b.length];
  while (start < endA && start < endB && a[start] === b[start]) start += 1;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) { endA -= 1; endB -= 1; }
  const runs = [];
  const add = (same, left, right) => {
    if (!left.length && !right.length) return;
    const last = runs.at(-1);
    if (last?.same === same) {
      last.left.push(...left);
      last.right.push(...right);
    } else {
      runs.push({ same, left: [...left], right: [...right] });
    }
  };
  add(true, a.slice(0, start), b.slice(0, start));
  const [width, height] = [endB - start + 1, endA - start + 1];
  // longest[i][j]: how much what begins there has in common.
  const longest = new Uint16Array(width * height);
  for (let i = height - 2; i >= 0; i -= 1) {
    for (let j = width - 2; j >= 0; j -= 1) {
      longest[i * width + j] = a[start + i] === b[start + j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < height - 1 || j < width - 1;) {
    if (i < height - 1 && j < width - 1 && a[start + i] === b[start + j]) {
      add(true, [a[start + i]], [b[start + j]]);
      i += 1;
      j += 1;
    } else if (j === width - 1 || (i < height - 1 && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      add(false, [a[start + i]], []);
      i += 1;
    } else {
      add(false, [], [b[start + j]]);
      j += 1;
    }
  }
  add(true, a.slice(endA), b.slice(endB));
  return runs;
}

const CONTEXT = 3;

/** The lines with long stretches of the same ones left out: { skipped: n } stands for n of them. */
export function foldLines(lines) {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ side }, at) => { if (side !== 'both') near.fill(1, Math.max(0, at - CONTEXT), at + CONTEXT + 1); });
  const folded = [];
  let skipped = [];
  const flush = () => {
    if (skipped.length > 1) folded.push({ skipped: skipped.length });
    else folded.push(...skipped);
    skipped = [];
  };
  lines.forEach((line, at) => {
    if (!near[at]) { skipped.push(line); return; }
    flush();
    folded.push(line);
  });
  flush();
  return folded;
}
