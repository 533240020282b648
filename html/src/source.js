// What was tested, as the summary tells it: a commit or a hash, a branch, where the CI shows it. Pure.

// Of a hash nobody reads more than the beginning.
const HASH = /\b([0-9a-f]{10})[0-9a-f]{10,}\b/giu;

/** source of the summary -> { branch, id, title, href }, '' for what isn't known; null without a source. */
export function describeSource(source) {
  if (!source?.id) return null;
  const { id, branch, url } = source;
  return { branch: branch || '', id: id.replace(HASH, '$1'), title: id, href: webAddress(url) };
}

/** The address if it leads to the web, else '': nothing else becomes a link. */
function webAddress(text) {
  if (!text || !URL.canParse(text)) return '';
  const { protocol, href } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? href : '';
}
