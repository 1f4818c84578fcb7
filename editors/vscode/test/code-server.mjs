// Uses the extension as a person would: in code-server, which is VS Code on a server, with headless Chromium.
// `node code-server.mjs CODE_SERVER CHROMIUM VSIX FOLDER`: FOLDER holds the files of editors/program, and gets screenshots.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const [codeServer, chromium, vsix, folder] = process.argv.slice(2);
const PATIENCE = 90_000;
const work = mkdtempSync(join(tmpdir(), 'csl-code-server-'));
const data = join(work, 'data');
const places = ['--user-data-dir', data, '--extensions-dir', join(work, 'extensions')];
const env = { ...process.env, HOME: work, XDG_CONFIG_HOME: join(work, 'config'), XDG_DATA_HOME: join(work, 'share') };

// The extension looks for `waferlab` in the environment of the folder, which has the commands of the PATH here.
const waferlab = spawnSync('sh', ['-c', 'command -v waferlab'], { encoding: 'utf8' }).stdout.trim();
mkdirSync(join(folder, '.venv'), { recursive: true });
rmSync(join(folder, '.venv/bin'), { force: true });
symlinkSync(dirname(waferlab), join(folder, '.venv/bin'));
writeFileSync(join(folder, 'style.csl'), '\n<?xml version="1.0"?>\n<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text"/>\n');
mkdirSync(join(data, 'User'), { recursive: true });
writeFileSync(join(data, 'User/settings.json'), JSON.stringify({
  'workbench.startupEditor': 'none', 'telemetry.telemetryLevel': 'off', 'chat.disableAIFeatures': true, 'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'editor.minimap.enabled': false, 'files.autoSave': 'off', 'task.saveBeforeRun': 'never', 'editor.accessibilitySupport': 'off',
}));
const installed = spawnSync(codeServer, [...places, '--install-extension', vsix], { env, encoding: 'utf8' });
assert.match(installed.stdout, /was successfully installed/, installed.stderr);

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const server = spawn(codeServer, [
  ...places, '--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', folder,
], { env, stdio: 'ignore' });
// Commands and answers of the browser go over two pipes, a JSON text each with a zero behind it.
const browser = spawn(chromium, [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${join(work, 'chromium')}`, 'about:blank',
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });

const waiting = new Map();
let last = 0;
let rest = '';
let session;
browser.stdio[4].setEncoding('utf8').on('data', (chunk) => {
  const texts = (rest + chunk).split('\0');
  rest = texts.pop();
  for (const { id, result, error } of texts.map((text) => JSON.parse(text))) {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (resolve) error ? reject(new Error(error.message)) : resolve(result);
  }
});

function send(method, params = {}) {
  const id = (last += 1);
  browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** The value of an expression in the page. */
async function value(expression) {
  const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
  return exceptionDetails ? undefined : result.value;
}

async function until(what, expression) {
  for (const end = Date.now() + PATIENCE; !(await value(expression)); await pause(100)) {
    if (Date.now() >= end) {
      await picture('failed.png');
      assert.fail(`${what}: ${expression} does not come true`);
    }
  }
}

async function picture(name) {
  const { data } = await send('Page.captureScreenshot', { format: 'png' });
  writeFileSync(join(folder, name), Buffer.from(data, 'base64'));
}

const KEYS = { F1: 112, Enter: 13, Escape: 27 };
async function press(key) {
  for (const type of ['rawKeyDown', 'keyUp']) {
    await send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: KEYS[key] });
  }
}

const text = (selector) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.textContent.replaceAll('\\u00a0', ' ')).join('\\n')`;
const has = (selector, part) => `${text(selector)}.includes(${JSON.stringify(part)})`;

/** What stands first in a list of VS Code. */
const first = "document.querySelector('.quick-input-list .monaco-list-row.focused')?.textContent";

/** Runs a command by its name. A page that is young hears no key, and its list of commands is not yet whole: it is opened again. */
async function command(name) {
  const input = "document.querySelector('.quick-input-widget input')";
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    await press('F1');
    await pause(500);
    if ((await value(`${input}?.offsetParent && ${input}.value`)) !== '>') continue;
    await send('Input.insertText', { text: name });
    await pause(1000);
    if ((await value(first))?.includes(name)) return press('Enter');
    await press('Escape');
    await pause(500);
  }
  await picture('failed.png');
  return assert.fail(`there is no command ${name}`);
}

async function open(file, language) {
  const payload = JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${port}${join(folder, file)}`]]);
  const query = new URLSearchParams({ folder, payload });
  await send('Page.navigate', { url: `http://127.0.0.1:${port}/?${query}` });
  await until(`${file} is ${language}`, has('#status\\.editor\\.mode', language));
}

async function goTo(place) {
  await command('Go to Line/Column...');
  await send('Input.insertText', { text: place });
  await pause(500);
  await press('Enter');
}

async function steps() {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(200)) {
    if (await fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.ok, () => false)) break;
  }
  const { targetInfos } = await send('Target.getTargets');
  const { targetId } = targetInfos.find(({ type }) => type === 'page');
  ({ sessionId: session } = await send('Target.attachToTarget', { targetId, flatten: true }));
  await send('Emulation.setDeviceMetricsOverride', { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });

  // Of files that are open the language server tells, of others the task.
  await send('Page.navigate', { url: `http://127.0.0.1:${port}/?${new URLSearchParams({ folder })}` });
  await until('the folder', has('.explorer-folders-view', 'layout.csl'));
  // VS Code sometimes misses what a task prints that ends at once: it is started again.
  for (let tries = 0; tries < 3 && !(await value(has('.markers-panel', 'cslc'))); tries += 1) {
    await command('Waferlab: Compile the Program');
    await until('the task', has('.panel', 'compile layout.csl'));
    await pause(3000);
    await picture('terminal.png');
    await command('View: Focus Problems');
    await pause(3000);
  }
  await until('the problem of the task', has('.markers-panel', 'cslc'));
  await picture('task.png');

  await open('style.csl', 'XML');
  await open('pe.csl', 'CSL');
  // The builtin has another colour than what is no word of the language.
  const colour = (part) => `[...document.querySelectorAll('.view-line span span')].find((one) => one.textContent.trim() === '${part}')?.className`;
  await until('highlighting', `${colour('@fmacs')} && ${colour('@fmacs')} !== ${colour('total')}`);
  await until('a diagnostic', `document.querySelector('.squiggly-error')`);
  await picture('diagnostic.png');

  await command('View: Focus Problems');
  await until('the problem', has('.markers-panel', 'totl'));
  await picture('problems.png');

  await command('Waferlab: Open the Page of a Name');
  await until('a question', has('.quick-input-message', 'A builtin (@fmacs)'));
  await send('Input.insertText', { text: '@fmacs' });
  await press('Enter');
  await until('the page', `${has('.tab', 'Preview @fmacs.md')} && document.querySelector('iframe.webview.ready')`);
  await pause(8000);
  await picture('page.png');

  await command('View: Focus First Editor Group');
  await goTo('11:5');
  await command('Show or Focus Hover');
  await until('hover', has('.monaco-hover', 'fmacs'));
  await picture('hover.png');

  await goTo('7:1');
  await command('Snippets: Insert Snippet');
  await until('snippets', has('.quick-input-list', 'Waferlab'));
  await send('Input.insertText', { text: 'fifo' });
  await until('the snippet', `${first}?.includes('fifo')`);
  await press('Enter');
  await until('its text', has('.view-lines', 'var fifo_room = @zeros([16]f32);'));
  await picture('snippet.png');
}

try {
  await Promise.race([
    steps(),
    new Promise((_, reject) => browser.on('exit', (status) => reject(new Error(`the browser ended with ${status}`)))),
    new Promise((_, reject) => server.on('exit', (status) => reject(new Error(`code-server ended with ${status}`)))),
  ]);
  console.log(`code-server: fine; screenshots are in ${folder}`);
} finally {
  for (const process of [browser, server]) process.removeAllListeners('exit');
  browser.kill();
  server.kill();
  await pause(1000);
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
