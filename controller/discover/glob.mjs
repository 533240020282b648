// The patterns of Cypress' specPattern: **, *, ?, [a-z], {a,b}, !(a|b) and its like. Playwright and WebdriverIO match their
// own; Node has no glob before 22, and this is a page.

const escape = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const EXTENDED = { '!': (inner) => `(?:(?!(?:${inner})(?:/|$))[^/]*)`, '?': (inner) => `(?:${inner})?`, '*': (inner) => `(?:${inner})*`, '+': (inner) => `(?:${inner})+`, '@': (inner) => `(?:${inner})` };

/** The index of the bracket that closes the one at `at`; -1: none does. */
function closing(pattern, at, open, close) {
  for (let i = at, depth = 0; i < pattern.length; i++) {
    if (pattern[i] === open) depth++;
    if (pattern[i] === close && --depth === 0) return i;
  }
  return -1;
}

/** The parts of a list, without those separators that stand in a list within. */
function split(text, separator) {
  const parts = [''];
  for (let i = 0, depth = 0; i < text.length; i++) {
    if ('{('.includes(text[i])) depth++;
    if ('})'.includes(text[i])) depth--;
    if (text[i] === separator && depth === 0) parts.push('');
    else parts[parts.length - 1] += text[i];
  }
  return parts;
}

function translate(pattern) {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    const end = pattern[i + 1] === '(' && EXTENDED[character] ? closing(pattern, i + 1, '(', ')') : -1;
    const brace = character === '{' ? closing(pattern, i, '{', '}') : -1;
    const bracket = character === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (end > 0) {
      source += EXTENDED[character](split(pattern.slice(i + 2, end), '|').map(translate).join('|'));
      i = end;
    } else if (brace > 0) {
      source += `(?:${split(pattern.slice(i + 1, brace), ',').map(translate).join('|')})`;
      i = brace;
    } else if (bracket > 0) {
      source += `[${pattern.slice(i + 1, bracket).replace(/^!/, '^').replace(/\\/g, '\\\\')}]`;
      i = bracket;
    } else if (pattern.startsWith('**/', i) && (i === 0 || pattern[i - 1] === '/')) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i += 1;
    } else {
      source += { '*': '[^/]*', '?': '[^/]' }[character] ?? escape(character);
    }
  }
  return source;
}

/** Matches whole paths with "/" between their parts. */
export const globToRegExp = (pattern) => new RegExp(`^${translate(pattern)}$`);
