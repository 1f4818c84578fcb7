// Tasks of the type `waferlab`: those of the settings, and those that a folder offers.
'use strict';

const path = require('node:path');
const vscode = require('vscode');
const program = require('./program');

/** The folder that `cslc` writes, beside the layout. */
const OUT = 'out';

/**
 * What each task starts. Tasks run in the folder of their file; the compiler gets the whole path, so that its messages have it, too.
 * @typedef {{ waferlab: string, file: string, args: string[] }} Words
 * @typedef {{ name: string, files?: string, settings?: string, matcher?: string, group?: 'Build' | 'Test', words: (words: Words) => string[] }} Kind
 * @type {Record<string, Kind>}
 */
const KINDS = {
  compile: {
    name: 'compile',
    files: '**/*layout*.csl',
    settings: 'compile.arguments',
    matcher: '$cslc',
    group: 'Build',
    words: ({ waferlab, file, args }) => [waferlab, 'cslc', file, ...args, '--error-format=short', '-o', OUT],
  },
  run: {
    name: 'run without a host program:',
    files: '**/*layout*.csl',
    settings: 'run.arguments',
    group: 'Test',
    words: ({ waferlab, args }) => [waferlab, 'run', OUT, ...args],
  },
  host: {
    name: 'run',
    files: '**/run*.py',
    group: 'Test',
    words: ({ file, args }) => ['cs_python', path.basename(file), '--name', OUT, ...args],
  },
  script: {
    name: 'run',
    files: '**/commands*.sh',
    matcher: '$cslc-for-people',
    group: 'Test',
    words: ({ file, args }) => ['bash', path.basename(file), ...args],
  },
  explore: {
    name: 'look for races with',
    files: '**/run*.py',
    words: ({ waferlab, file, args }) => [waferlab, 'explore', ...args, '--', 'cs_python', path.basename(file), '--name', OUT],
  },
  // Without a file it is about the programs of waferlab.toml.
  lint: {
    name: 'lint',
    files: '**/{waferlab.toml,commands*.sh}',
    matcher: '$cslc',
    words: ({ waferlab, file, args }) => [waferlab, 'lint', '--error-format=short', ...(file.endsWith('.toml') ? [] : [file]), ...args],
  },
  format: { name: 'format', words: ({ waferlab, args }) => [waferlab, 'fmt', '.', ...args] },
  'check-format': { name: 'check the format of', words: ({ waferlab, args }) => [waferlab, 'fmt', '--check', '.', ...args] },
};

/**
 * The task of a definition; `undefined` where it is none of ours, or there is no `waferlab`.
 * @param {vscode.TaskDefinition} definition
 * @param {vscode.WorkspaceFolder | undefined} folder
 * @param {string | undefined} waferlab
 */
function task(definition, folder, waferlab) {
  const kind = KINDS[definition.task];
  if (kind === undefined || folder === undefined || waferlab === undefined || (kind.files !== undefined && !definition.file)) {
    return undefined;
  }
  const file = path.resolve(folder.uri.fsPath, definition.file ?? '.');
  const settings = vscode.workspace.getConfiguration('waferlab', folder.uri);
  /** @type {string[]} */
  const args = definition.arguments ?? (kind.settings === undefined ? [] : settings.get(kind.settings, []));
  const words = kind.words({ waferlab, file, args });
  const cwd = kind.files === undefined ? file : path.dirname(file);
  const execution = new vscode.ShellExecution(words[0], words.slice(1), { cwd, env: program.environment(waferlab) });
  const name = `${kind.name} ${definition.file ?? folder.name}`;
  const made = new vscode.Task(definition, folder, name, 'waferlab', execution, kind.matcher ?? []);
  if (kind.group !== undefined) {
    made.group = vscode.TaskGroup[kind.group];
  }
  return made;
}

/** Every task that the folders of the workspace offer. @returns {Promise<vscode.Task[]>} */
async function offered() {
  const waferlab = program.find();
  const made = [];
  for (const [name, { files }] of Object.entries(KINDS)) {
    if (files === undefined) {
      const folders = vscode.workspace.workspaceFolders ?? [];
      made.push(...folders.map((folder) => task({ type: 'waferlab', task: name }, folder, waferlab)));
      continue;
    }
    for (const uri of await vscode.workspace.findFiles(files, `**/{${OUT},node_modules,.venv,venv}/**`, 1000)) {
      const folder = vscode.workspace.getWorkspaceFolder(uri);
      if (folder !== undefined) {
        const file = path.relative(folder.uri.fsPath, uri.fsPath).split(path.sep).join('/');
        made.push(task({ type: 'waferlab', task: name, file }, folder, waferlab));
      }
    }
  }
  return made.filter((one) => one !== undefined);
}

/** @type {vscode.TaskProvider} */
const provider = {
  provideTasks: offered,
  resolveTask(asked) {
    const scope = typeof asked.scope === 'object' ? asked.scope : vscode.workspace.workspaceFolders?.[0];
    const made = task(asked.definition, scope, program.find());
    // An answer has to have the very definition that was asked for.
    return made && Object.assign(made, { definition: asked.definition });
  },
};

module.exports = { KINDS, OUT, offered, provider };
