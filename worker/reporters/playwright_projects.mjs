// Tells funkytown's worker which projects a Playwright configuration has: one JSON line each, into the FIFO named by
// FUNKYTOWN_EVENTS. The worker starts Playwright with --list and with this in the place of playwright.mjs, when a start
// ended before any test because there was no project of the name that it was given (worker/projects.h has the rule).
//
//   {"event":"project","name":"Mobile Safari","browser":"chromium|edge|firefox|webkit","mobile":true,"helper":false}
//
// Playwright hands over the loaded configuration, all projects of it, also when a file does not load or no test is found.
// A configuration without projects has one whose name is empty. helper: others depend on it, or it cleans up after them.

import fs from 'node:fs';

const ENGINES = [[/edge/i, 'edge'], [/firefox/i, 'firefox'], [/safari|webkit|iphone|ipad/i, 'webkit']];
const MOBILE = /mobile|phone|pixel|ipad|galaxy|android/i;

/** What `use` says; what it leaves open the name may tell, and else it is Playwright's default. */
function engineOf({ name, use }) {
  if (/^msedge/.test(use.channel ?? '')) return 'edge';
  return use.browserName ?? use.defaultBrowserType ?? ENGINES.find(([pattern]) => pattern.test(name))?.[1] ?? 'chromium';
}

export default class ProjectsReporter {
  printsToStdio() {
    return false;
  }

  onBegin({ projects }) {
    const helpers = new Set(projects.flatMap(({ dependencies, teardown }) => [...(dependencies ?? []), teardown]));
    const lines = projects.map((project) => JSON.stringify({
      event: 'project',
      name: project.name,
      browser: engineOf(project),
      mobile: project.use.isMobile ?? MOBILE.test(project.name),
      helper: helpers.has(project.name),
    }));
    fs.appendFileSync(process.env.FUNKYTOWN_EVENTS, `${lines.join('\n')}\n`);
  }
}
