// A stand-in for VS Code: a module `vscode` that notes what an extension does, and loads it. What the extension and its client do not
// need is a class or a function that does nothing.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Module from 'node:module';

const require = createRequire(import.meta.url);

class Disposable {
  constructor(run = () => {}) {
    this.dispose = run;
  }
  static from(...all) {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
}

class EventEmitter {
  listeners = [];
  event = (listener) => {
    this.listeners.push(listener);
    return new Disposable(() => (this.listeners = this.listeners.filter((other) => other !== listener)));
  };
  fire = (value) => Promise.all(this.listeners.map((listener) => listener(value)));
  dispose() {}
}

class Uri {
  constructor(scheme, path) {
    Object.assign(this, { scheme, path, fsPath: path, authority: '', query: '', fragment: '' });
  }
  static file = (path) => new Uri('file', path);
  static from = ({ scheme, path }) => new Uri(scheme, path);
  static parse = (text) => new Uri(text.split(':')[0], decodeURIComponent(text.replace(/^[a-z]+:(\/\/)?/, '')));
  with = (change) => new Uri(change.scheme ?? this.scheme, change.path ?? this.path);
  toString = () => `${this.scheme}://${this.path}`;
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(...parts) {
    [this.start, this.end] = parts.length === 4 ? [new Position(parts[0], parts[1]), new Position(parts[2], parts[3])] : parts;
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class ShellExecution {
  constructor(command, args, options) {
    Object.assign(this, { command, args, options });
  }
}

class Task {
  constructor(definition, scope, name, source, execution, problemMatchers) {
    Object.assign(this, { definition, scope, name, source, execution, problemMatchers: [problemMatchers].flat() });
  }
}

class CancellationTokenSource {
  token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable() };
  cancel() {}
  dispose() {}
}

// An object whose missing properties are classes and functions that do nothing; names of classes are great. What registers
// something is noted.
const filled = (own, registered = []) =>
  new Proxy(own, {
    get(target, key) {
      if (key in target || typeof key === 'symbol' || key === 'then') return target[key];
      const register = () => (registered.push(key), new Disposable());
      target[key] = /^[A-Z]/.test(key) ? class {} : /^(on[A-Z]|register)/.test(key) ? register : () => undefined;
      return target[key];
    },
  });

const documentOf = (path, text, languageId = 'csl') => ({
  uri: Uri.file(path),
  fileName: path,
  languageId,
  version: 1,
  isClosed: false,
  getText: (range) => (range ? text.slice(range.start.character, range.end.character) : text),
  getWordRangeAtPosition: () => new Range(0, 0, 0, text.length),
});

async function found(root, pattern) {
  const files = existsSync(root) ? await readdir(root, { recursive: true }) : [];
  return files.filter((file) => matches(file, pattern)).map((file) => Uri.file(join(root, file)));
}

// `**/` at the start, stars within a name, choices in braces: the globs that the extension asks for.
function matches(file, pattern) {
  const name = pattern.replace(/^\*\*\//, '').replace(/[.]/g, '\\.').replace(/\*/g, '[^/]*').replace(/\{(.*)\}/, (_, choices) => `(${choices.replaceAll(',', '|')})`);
  return new RegExp(`(^|/)${name}$`).test(file);
}

/**
 * Loads the extension of a folder; `did` holds what it has done.
 * `settings` by their whole name, `folders` of the workspace, `documents` that are open, the `answer` to every question.
 */
export function host({ extension, settings = {}, folders = [], documents = [], trusted = true, answer }) {
  const did = { commands: {}, messages: [], tasks: {}, started: [], providers: [], languages: [], output: [], shown: [], executed: [], terminals: [], diagnostics: [], registered: [] };
  const events = { opened: new EventEmitter(), trust: new EventEmitter(), settings: new EventEmitter() };
  const open = documents.map(({ path, text }) => documentOf(path, text));
  const tell = (kind) => async (text, ...items) => {
    did.messages.push({ kind, text, items });
    return answer?.(text, items);
  };
  const channel = { append: (text) => did.output.push(text), appendLine: (text) => did.output.push(text), show: () => did.shown.push('output'), dispose() {}, replace() {}, clear() {}, hide() {} };
  const workspaceFolders = folders.map((path, index) => ({ uri: Uri.file(path), name: path.split('/').at(-1), index }));
  const workspace = filled({
    isTrusted: trusted,
    workspaceFolders,
    textDocuments: open,
    notebookDocuments: [],
    getWorkspaceFolder: (uri) => workspaceFolders.find((folder) => uri.fsPath.startsWith(`${folder.uri.fsPath}/`)),
    getConfiguration: (section) => ({
      get: (name, otherwise) => settings[section ? `${section}.${name}` : name] ?? otherwise,
      has: () => false,
      inspect: () => undefined,
    }),
    findFiles: async (pattern) => (await Promise.all(folders.map((folder) => found(folder, pattern)))).flat(),
    onDidOpenTextDocument: events.opened.event,
    onDidGrantWorkspaceTrust: events.trust.event,
    onDidChangeConfiguration: events.settings.event,
    registerTextDocumentContentProvider: (scheme, provider) => (did.providers.push({ scheme, provider }), new Disposable()),
    createFileSystemWatcher: (pattern) => filled({ pattern, dispose() {} }),
    openTextDocument: async (uri) => ({ uri, text: did.providers[0].provider.provideTextDocumentContent(uri) }),
    saveAll: async () => true,
  });
  const vscode = filled({
    Disposable, EventEmitter, Uri, Position, Range, Diagnostic, ShellExecution, Task, CancellationTokenSource,
    version: '1.82.0',
    TaskGroup: { Build: 'build', Test: 'test' },
    env: filled({ appName: 'stub', language: 'en' }),
    workspace,
    extensions: filled({ all: [], getExtension: () => undefined }),
    languages: filled({
      match: (selector, document) => ([selector].flat().some((one) => one.language === document.languageId) ? 10 : 0),
      setTextDocumentLanguage: async (document, language) => {
        did.languages.push({ path: document.uri.fsPath, language });
        document.languageId = language;
        return document;
      },
      createDiagnosticCollection: () => ({ set: (uri, list) => did.diagnostics.push({ uri, list }), delete() {}, clear() {}, dispose() {} }),
    }, did.registered),
    window: filled({
      visibleTextEditors: [],
      activeTextEditor: open[0] && { document: open[0], selection: { active: new Position(0, 0) } },
      tabGroups: filled({ all: [] }),
      createOutputChannel: () => channel,
      showErrorMessage: tell('error'),
      showWarningMessage: tell('warning'),
      showInformationMessage: tell('information'),
      showQuickPick: async (items) => answer?.('pick', items) ?? items[0],
      showInputBox: async (options) => answer?.('input', options),
      showTextDocument: async (document) => did.shown.push(document),
      createTerminal: (options) => ({ show: () => did.terminals.push(options) }),
    }),
    commands: filled({
      registerCommand: (name, run) => ((did.commands[name] = run), new Disposable()),
      executeCommand: async (...all) => void did.executed.push(all),
    }),
    tasks: filled({
      registerTaskProvider: (type, provider) => ((did.tasks[type] = provider), new Disposable()),
      executeTask: async (task) => did.started.push(task),
    }),
  });

  // Every load begins anew: no module remembers another stand-in.
  const load = Module._load;
  Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
  let module;
  try {
    for (const file of Object.keys(require.cache)) {
      if (file.startsWith(extension)) delete require.cache[file];
    }
    module = require(join(extension, 'src/extension.js'));
  } finally {
    Module._load = load;
  }
  const context = { subscriptions: [] };
  return { did, events, open, vscode, context, activate: () => module.activate(context).ready, deactivate: () => module.deactivate(), documentOf };
}
