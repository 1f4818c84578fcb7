// The commands, by the names that package.json gives them.
'use strict';

const path = require('node:path');
const vscode = require('vscode');
const program = require('./program');
const tasks = require('./tasks');

/** The scheme of texts that `waferlab` has printed. */
const PRINTED = 'waferlab';

/** The parts of a compiled program that `waferlab inspect` shows. */
const PARTS = ['summary', 'tiles', 'routes', 'memory', 'symbols', 'code'];

/** Texts that `waferlab` has printed, by their address. @type {Map<string, string>} */
const printed = new Map();

/** @param {string} name @param {string} text */
async function print(name, text) {
  const uri = vscode.Uri.from({ scheme: PRINTED, path: `/${name}` });
  printed.set(uri.toString(), text);
  changed.fire(uri);
  return uri;
}

/** @type {vscode.EventEmitter<vscode.Uri>} */
const changed = new vscode.EventEmitter();

/** @type {vscode.TextDocumentContentProvider} */
const documents = {
  onDidChange: changed.event,
  provideTextDocumentContent: (uri) => printed.get(uri.toString()),
};

/** The open file that commands are about. */
function current() {
  const document = vscode.window.activeTextEditor?.document;
  return document?.uri.scheme === 'file' ? document.uri : undefined;
}

/**
 * Starts one of the tasks of these kinds: of the open file's folder if there are any, or else of all. The kinds are offered in this order.
 * Of one kind that of the open file itself counts first: of several layouts in a folder that which is open is compiled.
 * @param {string[]} kinds @param {string} none
 */
async function start(kinds, none) {
  if (program.findOrTell() === undefined) {
    return;
  }
  const offered = await tasks.offered();
  const all = kinds.flatMap((kind) => offered.filter((task) => task.definition.task === kind));
  const file = current()?.fsPath;
  /** @param {vscode.Task} task */
  const place = (task) => {
    const folder = typeof task.scope === 'object' ? task.scope.uri.fsPath : '';
    return path.resolve(folder, task.definition.file);
  };
  const same = all.filter((task) => kinds.length === 1 && place(task) === file);
  const near = all.filter((task) => file !== undefined && path.dirname(place(task)) === path.dirname(file));
  const choices = [same, near].find((found) => found.length > 0) ?? all;
  if (choices.length === 0) {
    void vscode.window.showInformationMessage(none);
    return;
  }
  const named = choices.map((task) => ({ label: task.name, task }));
  const choice = named.length === 1 ? named[0] : await vscode.window.showQuickPick(named, { title: 'Waferlab' });
  if (choice !== undefined) {
    await vscode.workspace.saveAll(false);
    await vscode.tasks.executeTask(choice.task);
  }
}

/** The folder of a compiled program: that beside the open file, or one that is asked for. @returns {Promise<string | undefined>} */
async function compiled() {
  const found = await vscode.workspace.findFiles(`**/${tasks.OUT}/out.json`, undefined, 1000);
  const folders = found.map((uri) => path.dirname(uri.fsPath));
  const file = current()?.fsPath;
  const beside = file && folders.find((folder) => path.dirname(folder) === path.dirname(file));
  if (beside || folders.length === 1) {
    return beside || folders[0];
  }
  if (folders.length > 0) {
    return vscode.window.showQuickPick(folders, { title: 'The output folder of cslc' });
  }
  void vscode.window.showInformationMessage(`Waferlab: no folder "${tasks.OUT}" of a compiled program is in the workspace: compile it first.`);
  return undefined;
}

/** Shows what `waferlab` prints; its errors as a message. @param {string[]} args @param {string} name */
async function ask(args, name) {
  const waferlab = program.findOrTell();
  if (waferlab === undefined) {
    return undefined;
  }
  const { status, output, errors } = await program.run(waferlab, args);
  if (status !== 0) {
    void vscode.window.showErrorMessage(`Waferlab: ${(errors || output).trim()}`);
    return undefined;
  }
  return print(name, output);
}

async function inspect() {
  const folder = await compiled();
  const part = folder && (await vscode.window.showQuickPick(PARTS, { title: `waferlab inspect ${folder}` }));
  if (folder && part) {
    const uri = await ask(['inspect', folder, part], `${path.basename(path.dirname(folder))}-${part}.txt`);
    if (uri !== undefined) {
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
    }
  }
}

async function doc() {
  const editor = vscode.window.activeTextEditor;
  const range = editor?.document.getWordRangeAtPosition(editor.selection.active);
  const word = range && editor?.document.getText(range);
  const prompt = 'A builtin (@fmacs), a name of the library (math.sqrt), an option (--arch), a code (E0301); empty for the list';
  // The name of a builtin has a page for certain; of another word the user says.
  const name = word?.startsWith('@') ? word : await vscode.window.showInputBox({ prompt, value: word ?? '' });
  if (name !== undefined) {
    const uri = await ask(name === '' ? ['doc'] : ['doc', name], `${name.replaceAll('/', '-') || 'reference'}.md`);
    if (uri !== undefined) {
      await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
    }
  }
}

async function core() {
  const waferlab = program.findOrTell();
  const folder = waferlab && (await compiled());
  if (waferlab && folder) {
    vscode.window.createTerminal({ name: 'csdb', shellPath: waferlab, shellArgs: ['csdb', '.'], cwd: path.dirname(folder) }).show();
  }
}

/** @param {import('./server').Server} server @returns {Record<string, () => unknown>} */
function commands(server) {
  return {
    'waferlab.compile': () => start(['compile'], 'Waferlab: the workspace has no *layout*.csl to compile; a task of tasks.json can name another file.'),
    'waferlab.run': () => start(['script', 'host', 'run'], 'Waferlab: the workspace has no commands*.sh, no run*.py and no *layout*.csl.'),
    'waferlab.lint': () => start(['lint'], 'Waferlab: the workspace has no commands*.sh and no waferlab.toml, which say what its programs are.'),
    'waferlab.explore': () => start(['explore'], 'Waferlab: the workspace has no run*.py.'),
    'waferlab.inspect': inspect,
    'waferlab.doc': doc,
    'waferlab.core': core,
    'waferlab.restart': () => {
      server.isWanted = true;
      return server.restart();
    },
    'waferlab.output': () => server.output.show(),
  };
}

module.exports = { PARTS, PRINTED, commands, documents };
