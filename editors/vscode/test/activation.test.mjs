// Activation, the client, the commands and the tasks, in a stand-in for VS Code with a stand-in for `waferlab`.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { host } from './host.mjs';

const extension = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8'));
const fake = fileURLToPath(new URL('fake-waferlab.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'csl-activation-'));
after(() => rmSync(folder, { recursive: true }));
const { PATH: path, HOME: home } = process.env;

// A folder with a program, and a `waferlab` at the given place; its log.
let log;
let project;
function waferlab(place, more = '') {
  const file = join(project, place);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nLOG='${log}' ${more} exec '${process.execPath}' '${fake}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}
const asked = () => readFileSync(log, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const calls = () => asked().filter((entry) => entry.args).map((entry) => entry.args.join(' '));

let number = 0;
beforeEach(() => {
  project = join(folder, `project${(number += 1)}`);
  log = join(folder, `log${number}`);
  writeFileSync(log, '');
  mkdirSync(join(project, 'sub'), { recursive: true });
  for (const name of ['layout.csl', 'pe.csl', 'run.py', 'commands_wse2.sh', 'waferlab.toml', 'sub/layout.csl']) {
    writeFileSync(join(project, name), '// of the program\n');
  }
  // A PATH without any `waferlab`.
  process.env.PATH = [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
});
after(() => Object.assign(process.env, { PATH: path, HOME: home }));

const layout = () => ({ path: join(project, 'layout.csl'), text: '// of the program\n' });
async function until(holds) {
  for (let tries = 0; !holds(); tries += 1) {
    assert.ok(tries < 200, 'it has not come');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test('commands of package.json are registered, and no others', async () => {
  const { did, activate, deactivate } = host({ extension, folders: [project], settings: { 'waferlab.server.enable': false } });
  await activate();
  assert.deepEqual(Object.keys(did.commands).sort(), manifest.contributes.commands.map((one) => one.command).sort());
  assert.deepEqual(Object.keys(did.tasks), manifest.contributes.taskDefinitions.map((one) => one.type));
  assert.deepEqual(did.messages, []);
  await deactivate();
});

test('the server starts with its arguments, is told of open files, shows what it finds, and stops', async () => {
  const program = waferlab('bin/waferlab');
  const settings = { 'waferlab.path': program, 'waferlab.server.arguments': ['--a', 'b'] };
  const { did, activate, deactivate } = host({ extension, folders: [project], documents: [layout()], settings });
  await activate();
  assert.deepEqual(calls(), ['lsp --help', 'lsp --a b']);
  await until(() => did.diagnostics.length > 0);
  const [{ list }] = did.diagnostics;
  assert.equal(list[0].message, 'a mistake');
  // What the server says that it can.
  assert.deepEqual(did.registered.sort(), ['registerDocumentFormattingEditProvider', 'registerHoverProvider']);
  await deactivate();
  const methods = asked().map((entry) => entry.method).filter(Boolean);
  assert.deepEqual(methods.slice(0, 2), ['initialize', 'initialized']);
  assert.ok(methods.includes('textDocument/didOpen'));
  await until(() => asked().some((entry) => entry.method === 'exit'));
  assert.deepEqual(did.messages, []);
});

test('without a waferlab there is a message with a way to the setting', async () => {
  const { did, activate } = host({ extension, folders: [project], documents: [layout()], answer: (_, items) => items?.[0] });
  await activate();
  await until(() => did.executed.length > 0);
  assert.match(did.messages[0].text, /`waferlab` is not found: neither in \.venv or venv .* nor on the PATH\. Install .* set waferlab\.path/);
  assert.deepEqual(did.executed[0], ['workbench.action.openSettings', 'waferlab.path']);
});

test('a path that leads nowhere is named', async () => {
  const { did, activate } = host({ extension, folders: [project], documents: [layout()], settings: { 'waferlab.path': '${workspaceFolder}/none/waferlab' } });
  await activate();
  assert.match(did.messages[0].text, /"\$\{workspaceFolder\}\/none\/waferlab" of waferlab\.path is no program/);
});

test('a waferlab without a language server is told once, and not started again and again', async () => {
  const program = waferlab('bin/waferlab', 'IS_OLD=1');
  const { did, activate } = host({ extension, folders: [project], documents: [layout()], settings: { 'waferlab.path': program } });
  await activate();
  assert.equal(did.messages.length, 1);
  assert.match(did.messages[0].text, /has no language server/);
  assert.match(did.output.join('\n'), /unrecognized subcommand/);
  assert.deepEqual(calls(), ['lsp --help']);
});

test('an environment of the workspace goes before the PATH, a setting before both', async () => {
  const places = { path: waferlab('path/waferlab'), venv: waferlab('.venv/bin/waferlab'), set: waferlab('set/waferlab') };
  process.env.PATH = [dirname(places.path), process.env.PATH].join(delimiter);
  const command = async (folders, settings) => {
    const { did } = await activated({ folders, settings: { 'waferlab.server.enable': false, ...settings } });
    return (await did.tasks.waferlab.provideTasks())[0]?.execution.command;
  };
  assert.equal(await command([project], {}), places.venv);
  assert.equal(await command([project], { 'waferlab.path': '${workspaceFolder}/set/waferlab' }), places.set);
  assert.equal(await command([project], { 'waferlab.path': 'waferlab' }), places.path);
  process.env.HOME = project;
  assert.equal(await command([project], { 'waferlab.path': '~/set/waferlab' }), places.set);
  assert.equal(await command([join(project, 'sub')], {}), places.path);
});

async function activated(options) {
  const all = host({ extension, ...options });
  await all.activate();
  return all;
}

test('nothing starts in a folder that is not trusted, until it is', async () => {
  waferlab('.venv/bin/waferlab');
  const { did, events, vscode, deactivate } = await activated({ folders: [project], documents: [layout()], trusted: false });
  assert.deepEqual(calls(), []);
  assert.deepEqual(did.messages, []);
  vscode.workspace.isTrusted = true;
  await events.trust.fire();
  assert.deepEqual(calls(), ['lsp --help', 'lsp']);
  await deactivate();
});

test('another path starts the server anew, another setting does not', async () => {
  waferlab('.venv/bin/waferlab');
  const settings = {};
  const { did, events, deactivate } = await activated({ folders: [project], documents: [layout()], settings });
  const change = (name) => events.settings.fire({ affectsConfiguration: (section) => name.startsWith(section) });
  await change('editor.tabSize');
  await change('waferlab.compile.arguments');
  assert.equal(calls().length, 2);
  settings['waferlab.path'] = waferlab('other/waferlab');
  await change('waferlab.path');
  await until(() => calls().length === 4);
  await did.commands['waferlab.restart']();
  assert.equal(calls().length, 6);
  settings['waferlab.server.enable'] = false;
  await change('waferlab.server.enable');
  await deactivate();
  assert.equal(calls().length, 6);
  await until(() => asked().filter((entry) => entry.method === 'exit').length === 3);
});

test('a file of the Citation Style Language is handed on, and starts nothing', async () => {
  const text = '\uFEFF\n <?xml version="1.0"?>\n<style/>\n';
  const { did, events, open, documentOf, deactivate } = await activated({ folders: [project], documents: [{ path: join(project, 'apa.csl'), text }] });
  await events.opened.fire(documentOf(join(project, 'other.csl'), '<style xmlns="http://purl.org/net/xbiblio/csl">'));
  assert.deepEqual(did.languages.map(({ path, language }) => [path.split('/').at(-1), language]), [['apa.csl', 'xml'], ['other.csl', 'xml']]);
  assert.deepEqual(open.map((document) => document.languageId), ['xml']);
  assert.deepEqual(did.messages, []);
  // The first program starts the server, or tells that there is none; once.
  await events.opened.fire(documentOf(join(project, 'empty.csl'), ''));
  await events.opened.fire(documentOf(join(project, 'layout.csl'), '// of the program'));
  assert.equal(did.messages.length, 1);
  assert.equal(did.languages.length, 2);
  waferlab('.venv/bin/waferlab');
  await did.commands['waferlab.restart']();
  assert.deepEqual(calls(), ['lsp --help', 'lsp']);
  await deactivate();
});

test('tasks', async () => {
  const program = waferlab('.venv/bin/waferlab');
  const settings = { 'waferlab.server.enable': false, 'waferlab.compile.arguments': ['--arch=wse3', '--memcpy'], 'waferlab.run.arguments': ['--launch=main'] };
  const { did } = await activated({ folders: [project], settings });
  const tasks = await did.tasks.waferlab.provideTasks();
  const told = tasks.map(({ name, execution, group, problemMatchers }) => [
    name,
    [execution.command, ...execution.args].join(' ').replaceAll(project, '.').replace(program, 'waferlab').replace('./.venv/bin/', ''),
    execution.options.cwd.replace(project, '.'),
    group,
    problemMatchers.join(),
  ]);
  const own = project.split('/').at(-1);
  assert.deepEqual(told.sort(), [
    [`check the format of ${own}`, 'waferlab fmt --check .', '.', undefined, ''],
    ['compile layout.csl', 'waferlab cslc ./layout.csl --arch=wse3 --memcpy --error-format=short -o out', '.', 'build', '$cslc'],
    ['compile sub/layout.csl', 'waferlab cslc ./sub/layout.csl --arch=wse3 --memcpy --error-format=short -o out', './sub', 'build', '$cslc'],
    ['look for races with run.py', 'waferlab explore -- cs_python run.py --name out', '.', undefined, ''],
    ['lint commands_wse2.sh', 'waferlab lint --error-format=short ./commands_wse2.sh', '.', undefined, '$cslc'],
    ['lint waferlab.toml', 'waferlab lint --error-format=short', '.', undefined, '$cslc'],
    [`format ${own}`, 'waferlab fmt .', '.', undefined, ''],
    ['run commands_wse2.sh', 'bash commands_wse2.sh', '.', 'test', '$cslc-for-people'],
    ['run run.py', 'cs_python run.py --name out', '.', 'test', ''],
    ['run without a host program: layout.csl', 'waferlab run out --launch=main', '.', 'test', ''],
    ['run without a host program: sub/layout.csl', 'waferlab run out --launch=main', './sub', 'test', ''],
  ].sort());
  for (const { execution } of tasks) {
    assert.equal(execution.options.env.PATH.split(delimiter)[0], dirname(program));
  }
  const matchers = manifest.contributes.problemMatchers.map((matcher) => `$${matcher.name}`);
  assert.ok(tasks.flatMap((task) => task.problemMatchers).every((name) => matchers.includes(name)));
});

test('a task of tasks.json', async () => {
  waferlab('.venv/bin/waferlab');
  const { did, vscode } = await activated({ folders: [project], settings: { 'waferlab.server.enable': false } });
  const resolve = (definition) => did.tasks.waferlab.resolveTask({ definition, scope: vscode.workspace.workspaceFolders[0] });
  const definition = { type: 'waferlab', task: 'compile', file: 'sub/other.csl', arguments: ['--params=n:4'] };
  const made = resolve(definition);
  assert.equal(made.definition, definition);
  assert.deepEqual(made.execution.args, ['cslc', join(project, 'sub/other.csl'), '--params=n:4', '--error-format=short', '-o', 'out']);
  assert.equal(resolve({ type: 'waferlab', task: 'compile' }), undefined);
  assert.equal(resolve({ type: 'waferlab', task: 'fly' }), undefined);
  const kinds = manifest.contributes.taskDefinitions[0].properties.task.enum;
  for (const task of kinds) {
    assert.ok(resolve({ type: 'waferlab', task, file: 'layout.csl' }), task);
  }
});

test('compile and run start the tasks of the open file, or of its folder', async () => {
  waferlab('.venv/bin/waferlab');
  const settings = { 'waferlab.server.enable': false };
  const first = await activated({ folders: [project], settings, documents: [{ path: join(project, 'sub/layout.csl'), text: '//' }] });
  await first.did.commands['waferlab.compile']();
  await first.did.commands['waferlab.run']();
  assert.deepEqual(first.did.started.map((task) => task.name), ['compile sub/layout.csl', 'run without a host program: sub/layout.csl']);
  const offers = [];
  const answer = (what, items) => (offers.push(items.map((item) => item.label)), items[0]);
  const second = await activated({ folders: [project], settings, answer, documents: [{ path: join(project, 'pe.csl'), text: '//' }] });
  await second.did.commands['waferlab.run']();
  const third = await activated({ folders: [project], settings, answer, documents: [layout()] });
  await third.did.commands['waferlab.run']();
  const ways = ['run commands_wse2.sh', 'run run.py', 'run without a host program: layout.csl'];
  assert.deepEqual(offers, [ways, ways]);
  assert.deepEqual([...second.did.started, ...third.did.started].map((task) => task.name), [ways[0], ways[0]]);
});

test('pages of the reference, what is compiled, and the core file', async () => {
  const program = waferlab('.venv/bin/waferlab');
  const settings = { 'waferlab.server.enable': false };
  const { did } = await activated({ folders: [project], settings, documents: [{ path: join(project, 'pe.csl'), text: '@fmacs' }] });
  await did.commands['waferlab.inspect']();
  assert.match(did.messages.at(-1).text, /no folder "out" of a compiled program/);
  mkdirSync(join(project, 'out'));
  writeFileSync(join(project, 'out/out.json'), '{}');
  await did.commands['waferlab.inspect']();
  assert.equal(did.shown[0].text, `# inspect ${join(project, 'out')} summary\n`);
  await did.commands['waferlab.doc']();
  const [command, uri] = did.executed.at(-1);
  assert.equal(command, 'markdown.showPreviewToSide');
  assert.equal(did.providers[0].provider.provideTextDocumentContent(uri), '# doc @fmacs\n');
  await did.commands['waferlab.core']();
  assert.deepEqual(did.terminals, [{ name: 'csdb', shellPath: program, shellArgs: ['csdb', '.'], cwd: project }]);
  await did.commands['waferlab.output']();
  assert.equal(did.shown.at(-1), 'output');
});
