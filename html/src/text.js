// What specs print is untrusted and made for terminals. These functions turn it into plain
// characters: no escape sequences, no control characters. Pure.

// CSI, OSC (ended by BEL or ST), and two-character escapes.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
// Everything that a terminal would act on and a page has no use for, save tab and newline.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

export const stripAnsi = (text) => text.replace(ESCAPES, '').replace(CONTROLS, '');

/** One line for a table cell. */
export const oneLine = (text) => stripAnsi(text.replace(/\s+/g, ' ')).trim();

/** "tests/cart/a.spec.ts" -> ["tests/cart/", "a.spec.ts"]: the name must stay legible when the folder does not. */
export function splitPath(path) {
  const slash = path.lastIndexOf('/') + 1;
  return [path.slice(0, slash), path.slice(slash)];
}
