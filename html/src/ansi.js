// What a program wrote for a terminal -> lines of styled pieces of text, for text nodes only. Colours carry over
// lines, a carriage return starts its line again (progress bars), links and cursor movements fall away, and hidden
// text is shown: a log is evidence. Pure.

const TOKENS = /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|\r?\n|\r|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|[^\u0000-\u0008\u000a-\u001f\u007f-\u009f]+/g;

const PLAIN = Object.freeze({ className: '', color: '', background: '' });
const ATTRIBUTES = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline', 7: 'inverse', 9: 'strike' };
const ENDED_BY = { 22: ['bold', 'dim'], 23: ['italic'], 24: ['underline'], 27: ['inverse'], 29: ['strike'] };

/**
 * @returns lines, each a list of { text, style: { className, color, background } }. Class names are ansi-fg-0 … 15,
 * ansi-bg-0 … 15, ansi-bold and so on; color and background are only set for colours beyond these sixteen.
 */
export function parseAnsi(text) {
  let line = [];
  let restarted = false;
  let pen = { fg: '', bg: '' };
  let style = PLAIN;
  const lines = [line];
  for (const [token, parameters, final] of text.matchAll(TOKENS)) {
    if (token === '\n' || token === '\r\n') {
      lines.push(line = []);
      restarted = false;
    } else if (token === '\r') {
      restarted = true;
    } else if (final === 'm') {
      pen = applySgr(pen, parameters);
      style = styleOf(pen);
    } else if (token >= ' ' || token[0] === '\t') {
      if (restarted) line.length = 0;
      restarted = false;
      line.push({ text: token, style });
    }
  }
  return lines;
}

function applySgr(pen, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = { ...pen };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i];
    if (code === 0) next = { fg: '', bg: '' };
    else if (ATTRIBUTES[code]) next[ATTRIBUTES[code]] = true;
    else if (ENDED_BY[code]) for (const name of ENDED_BY[code]) delete next[name];
    else if (code === 38 || code === 48) {
      const target = code === 38 ? 'fg' : 'bg';
      if (codes[i + 1] === 5) next[target] = paletteColor(codes[i + 2]);
      if (codes[i + 1] === 2) next[target] = rgb(codes.slice(i + 2, i + 5));
      i += codes[i + 1] === 5 ? 2 : 4;
    } else if (code === 39) next.fg = '';
    else if (code === 49) next.bg = '';
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
  }
  return next;
}

// 0 … 15 stay numbers, for the style sheet to decide; then a 6 x 6 x 6 cube and 24 greys.
function paletteColor(index) {
  if (!(index >= 16 && index <= 255)) return index >= 0 && index < 16 ? index : '';
  if (index >= 232) return rgb(Array(3).fill(8 + (index - 232) * 10));
  const level = (n) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return rgb([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function rgb(parts) {
  return parts.length === 3 && parts.every((part) => part >= 0 && part <= 255) ? `rgb(${parts.join(' ')})` : '';
}

function styleOf(pen) {
  const [fg, bg] = pen.inverse ? [pen.bg === '' ? 'inverse' : pen.bg, pen.fg === '' ? 'inverse' : pen.fg] : [pen.fg, pen.bg];
  const isDirect = (color) => typeof color === 'string' && color.startsWith('rgb');
  const classes = ['bold', 'dim', 'italic', 'underline', 'strike'].filter((name) => pen[name]).map((name) => `ansi-${name}`);
  if (fg !== '' && !isDirect(fg)) classes.push(`ansi-fg-${fg}`);
  if (bg !== '' && !isDirect(bg)) classes.push(`ansi-bg-${bg}`);
  return { className: classes.join(' '), color: isDirect(fg) ? fg : '', background: isDirect(bg) ? bg : '' };
}

export const lineText = (line) => line.map((piece) => piece.text).join('');

// How runners and languages announce that something went wrong, at the start of a line or as a word of its own.
const TROUBLE = /(?:^|[^\w-])(?:[A-Z]\w*(?:Error|Exception)\b|Error:|error:|ERROR\b|FAIL(?:ED|URE)?\b|AssertionError|Traceback \(|panic:|Segmentation fault|[✗✘✖×] |(?:test )?timeout of \d+|Timed? ?out\b)/;

/** The numbers of the lines that look like trouble, ascending. */
export function troubleLines(lines) {
  return lines.flatMap((line, number) => (TROUBLE.test(lineText(line)) ? [number] : []));
}
