// The extension: what it registers, and when the language server starts.
'use strict';

const vscode = require('vscode');
const { PRINTED, commands, documents } = require('./commands');
const { Server } = require('./server');
const tasks = require('./tasks');

/** Settings whose change starts the server anew. */
const RESTARTING = ['waferlab.path', 'waferlab.server'];

/** @type {Server | undefined} */
let server;

/**
 * `*.csl` is also the ending of the Citation Style Language, which is XML: such a file is handed on. A rule for the first line in
 * package.json could not do so: VS Code asks for it only where no ending is known.
 * @param {vscode.TextDocument} document
 */
async function handOn(document) {
  if (document.languageId === 'csl' && /^\uFEFF?\s*</.test(document.getText())) {
    await vscode.languages.setTextDocumentLanguage(document, 'xml');
  }
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  const own = (server = new Server());
  context.subscriptions.push(
    own.output,
    vscode.tasks.registerTaskProvider('waferlab', tasks.provider),
    vscode.workspace.registerTextDocumentContentProvider(PRINTED, documents),
    vscode.workspace.onDidOpenTextDocument(handOn),
    vscode.workspace.onDidGrantWorkspaceTrust(() => own.start()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((setting) => change.affectsConfiguration(setting))) {
        void own.restart();
      }
    }),
    ...Object.entries(commands(own)).map(([name, run]) => vscode.commands.registerCommand(name, run)),
  );
  await Promise.all(vscode.workspace.textDocuments.map(handOn));
  await own.start();
}

function deactivate() {
  return server?.stop();
}

module.exports = { activate, deactivate };
