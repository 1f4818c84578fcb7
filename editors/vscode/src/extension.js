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
function isCitationStyle(document) {
  return /^\uFEFF?\s*</.test(document.getText());
}

/**
 * Activation does not wait for the server: commands work while it starts. `ready` comes when it has.
 * @param {vscode.ExtensionContext} context
 */
function activate(context) {
  const own = (server = new Server());
  /** @param {vscode.TextDocument} document */
  const opened = async (document) => {
    if (document.languageId === 'csl') {
      await (isCitationStyle(document) ? vscode.languages.setTextDocumentLanguage(document, 'xml') : own.want());
    }
  };
  context.subscriptions.push(
    own.output,
    vscode.tasks.registerTaskProvider('waferlab', tasks.provider),
    vscode.workspace.registerTextDocumentContentProvider(PRINTED, documents),
    vscode.workspace.onDidOpenTextDocument(opened),
    vscode.workspace.onDidGrantWorkspaceTrust(() => own.start()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((setting) => change.affectsConfiguration(setting))) {
        void own.restart();
      }
    }),
    ...Object.entries(commands(own)).map(([name, run]) => vscode.commands.registerCommand(name, run)),
  );
  return { ready: Promise.all(vscode.workspace.textDocuments.map(opened)) };
}

function deactivate() {
  return server?.stop();
}

module.exports = { activate, deactivate };
