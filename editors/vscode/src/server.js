// The language server, `waferlab lsp`, and its client.
'use strict';

const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');
const program = require('./program');

class Server {
  constructor() {
    /** @type {LanguageClient | undefined} */
    this.client = undefined;
    this.output = vscode.window.createOutputChannel('Waferlab');
    /** Whether a program has been open. A folder of citation styles wants no server, and no message that there is none. */
    this.isWanted = false;
    /** Starts and stops one after the other. */
    this.last = Promise.resolve();
  }

  /** Starts it for the first program that is open. */
  want() {
    const isFirst = !this.isWanted;
    this.isWanted = true;
    return isFirst ? this.start() : this.last;
  }

  /** Starts it if it is wanted, trusted and there. */
  start() {
    return this.after(() => this.startNow());
  }

  stop() {
    return this.after(() => this.stopNow());
  }

  restart() {
    void this.stop();
    return this.start();
  }

  /** @private @param {() => Promise<void>} work */
  after(work) {
    this.last = this.last.then(work).catch((error) => this.output.appendLine(String(error)));
    return this.last;
  }

  /** @private */
  async startNow() {
    const settings = vscode.workspace.getConfiguration('waferlab');
    if (this.client !== undefined || !this.isWanted || !vscode.workspace.isTrusted || !settings.get('server.enable', true)) {
      return;
    }
    const command = program.findOrTell();
    if (command === undefined) {
      return;
    }
    const args = ['lsp', ...settings.get('server.arguments', [])];
    // An older Waferlab has no server. Asked for it, it would end, and be started again and again.
    const { status, errors } = await program.run(command, ['lsp', '--help']);
    if (status !== 0) {
      this.output.appendLine(`${command} lsp --help ended with ${status}\n${errors}`);
      void vscode.window.showErrorMessage(`Waferlab: ${command} has no language server; a newer one has. The output Waferlab has its answer.`);
      return;
    }
    // The server itself asks to be told of files that change on disk.
    const documentSelector = [{ scheme: 'file', language: 'csl' }];
    const client = new LanguageClient('waferlab', 'Waferlab', { command, args }, { documentSelector, outputChannel: this.output });
    this.client = client;
    // The client itself tells of a server that does not start, and starts it again where it ends.
    await client.start();
  }

  /** @private */
  async stopNow() {
    const client = this.client;
    this.client = undefined;
    await client?.dispose();
  }
}

module.exports = { Server };
