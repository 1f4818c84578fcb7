// The `waferlab` to start: where it is, and how it is called.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const vscode = require('vscode');

const ENDING = process.platform === 'win32' ? '.exe' : '';

/** The folders of virtual environments, in which a wheel lies that was installed for one project. */
const ENVIRONMENTS = ['.venv', 'venv'].map((name) => path.join(name, process.platform === 'win32' ? 'Scripts' : 'bin'));

/** The folders of the workspace that are on disk. */
function roots() {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter((folder) => folder.uri.scheme === 'file').map((folder) => folder.uri.fsPath);
}

/** A path of the settings, with `~` and `${workspaceFolder}` replaced. @param {string} text */
function expanded(text) {
  const home = text.replace(/^~(?=$|[/\\])/, () => os.homedir());
  return home.replaceAll('${workspaceFolder}', () => roots()[0] ?? '');
}

/** @param {string} file */
function isThere(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The setting `waferlab.path`, or else the first of an environment and of the `PATH`; `undefined` where there is none. */
function find() {
  const set = vscode.workspace.getConfiguration('waferlab').get('path', '').trim();
  // A name without a folder is looked for on the `PATH`.
  const named = set === '' ? `waferlab${ENDING}` : expanded(set);
  if (path.basename(named) !== named) {
    return isThere(named) ? named : undefined;
  }
  const own = set === '' ? roots().flatMap((root) => ENVIRONMENTS.map((folder) => path.join(root, folder))) : [];
  const folders = [...own, ...(process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')];
  return folders.map((folder) => path.join(folder, named)).find(isThere);
}

/**
 * Like `find`; where there is none, it tells, and offers the way to the setting.
 * @returns {string | undefined}
 */
function findOrTell() {
  const program = find();
  if (program === undefined) {
    const set = vscode.workspace.getConfiguration('waferlab').get('path', '').trim();
    const why = set === '' ? 'neither in .venv or venv of the workspace nor on the PATH' : `"${set}" of waferlab.path is no program`;
    const text = `Waferlab: \`waferlab\` is not found: ${why}. Install the Python package waferlab into .venv, or set waferlab.path.`;
    // The answer comes when the message is closed: nothing waits for it.
    void vscode.window.showErrorMessage(text, 'Open the Setting').then((choice) => {
      if (choice !== undefined) {
        void vscode.commands.executeCommand('workbench.action.openSettings', 'waferlab.path');
      }
    });
  }
  return program;
}

/**
 * Runs it to the end.
 * @param {string} program @param {string[]} args @param {string} [cwd]
 * @returns {Promise<{ status: number | string, output: string, errors: string }>}
 */
function run(program, args, cwd) {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 << 20 }, (error, output, errors) => {
      resolve({ status: error ? error.code ?? 'a signal' : 0, output, errors });
    });
  });
}

/** The environment of tasks: `cslc` and `cs_python` are those beside `waferlab`. @param {string} program */
function environment(program) {
  return { PATH: [path.dirname(program), process.env.PATH ?? ''].join(path.delimiter) };
}

module.exports = { environment, find, findOrTell, run };
