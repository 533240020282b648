// Strict checking of Kubernetes objects: unknown fields, missing ones, wrong types and wrong words, at any depth.
//
// The published types of Kubernetes' API say what an object is, and TypeScript refuses what a literal has beyond that; the
// models' own validation lets unknown fields pass.

import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));

function literalOf({ path, object }, index) {
  const { apiVersion, kind } = object;
  return [
    `import type { I${kind} } from 'kubernetes-models/${apiVersion}/${kind}';`,
    `/* ${path} */ export const object${index}: I${kind} = ${JSON.stringify(object, null, 2)};`,
  ];
}

// What is wrong with the objects, a line each.
export function typeErrors(objects) {
  const folder = mkdtempSync(join(here, 'node_modules', '.typecheck-')); // below the packages, so that imports are found
  try {
    const files = objects.map((one, index) => {
      const file = join(folder, `object${index}.ts`);
      writeFileSync(file, literalOf(one, index).join('\n'));
      return file;
    });
    const program = ts.createProgram(files, { strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es2022.d.ts'],
      target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 });
    return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const at = files.indexOf(diagnostic.file?.fileName);
      return `${objects[at]?.path ?? ''}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
