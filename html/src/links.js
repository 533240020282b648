// Where a file that failed can be looked at: the reader's own template, else GitHub at the commit that was tested, as far
// as the source tells it. Nothing but the web and editors is ever linked to. Pure.

const GITHUB = /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)(?:[/?#]|$)/;
const COMMIT = /^[0-9a-f]{40}$/i;
const SCHEMES = /^(?:https?|vscode|vscode-insiders|vscodium|cursor|windsurf|zed|idea|jetbrains):/i;

export const EDITOR_TEMPLATE = 'vscode://file/FOLDER/{file}:{line}:{column}';

/** source of the summary -> a template, '': it tells of no commit on GitHub. */
export function githubTemplate(source) {
  const [, repository] = GITHUB.exec(source?.url ?? '') ?? [];
  // "<commit>+<hash>" is a commit with changes of somebody's own.
  return repository && COMMIT.test(source.id) ? `https://github.com/${repository}/blob/${source.id}/{file}#L{line}` : '';
}

/** Whether a reader's template can be followed. */
export const isTemplate = (template) => SCHEMES.test(template) && template.includes('{file}') && URL.canParse(template);

/** The address of a place in a file; '': there is none. */
export function linkTo(template, { file, line, column }) {
  if (!file || !isTemplate(template)) return '';
  const path = file.split('/').map(encodeURIComponent).join('/');
  return template.replace('{file}', () => path).replace('{line}', line || 1).replace('{column}', column || 1);
}
