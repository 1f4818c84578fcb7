// The package, as `vsce` makes it: what is in it, and that it starts from there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { host } from './host.mjs';

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'csl-package-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'waferlab.vsix');

// A .vsix is a zip file, and vsce brings its reader along.
async function unpack(to) {
  const yauzl = require('yauzl');
  const zip = await promisify(yauzl.open)(file, { lazyEntries: true, autoClose: false });
  const open = promisify(zip.openReadStream.bind(zip));
  const names = [];
  await new Promise((resolve, reject) => {
    zip.on('error', reject).on('end', resolve).on('entry', async (entry) => {
      try {
        names.push(entry.fileName);
        const target = join(to, entry.fileName);
        mkdirSync(dirname(target), { recursive: true });
        await pipeline(await open(entry), createWriteStream(target));
        zip.readEntry();
      } catch (error) {
        reject(error);
      }
    });
    zip.readEntry();
  });
  zip.close();
  return names;
}

test('vsce packages it', () => {
  const told = execFileSync(join(here, 'node_modules/.bin/vsce'), ['package', '--out', file], { cwd: here, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  assert.match(told, /Packaged: /);
  assert.doesNotMatch(told, /WARNING/);
});

test('what is in the package starts the server', async () => {
  const names = await unpack(folder);
  const extension = join(folder, 'extension/');
  const own = names.filter((name) => name.startsWith('extension/') && !name.includes('node_modules')).map((name) => name.slice('extension/'.length));
  const sources = readdirSync(join(here, 'src')).map((name) => `src/${name}`);
  assert.deepEqual(own.sort(), [
    'LICENSE.txt', 'changelog.md', 'language-configuration.json', 'package.json', 'readme.md', 'snippets/csl.json', 'syntaxes/csl.tmLanguage.json', ...sources,
  ].sort());
  for (const name of ['snippets/csl.json', 'syntaxes/csl.tmLanguage.json']) {
    assert.deepEqual(readFileSync(join(extension, name)), readFileSync(join(here, name)));
  }
  // Every package that is used at run time has its licence with it.
  const packages = names.filter((name) => /node_modules\/[^/]+\/package\.json$/.test(name)).map(dirname);
  assert.ok(packages.length >= 5, `${packages}`);
  for (const name of packages) {
    assert.ok(names.some((other) => dirname(other) === name && /licen[cs]e/i.test(other)), `${name} has no licence`);
  }

  const log = join(folder, 'log');
  const program = join(folder, 'waferlab');
  writeFileSync(log, '');
  writeFileSync(program, `#!/bin/sh\nLOG='${log}' exec '${process.execPath}' '${join(here, 'test/fake-waferlab.mjs')}' "$@"\n`);
  chmodSync(program, 0o755);
  const { did, activate, deactivate } = host({ extension, folders: [folder], documents: [{ path: join(folder, 'pe.csl'), text: '' }], settings: { 'waferlab.path': program } });
  await activate();
  await deactivate();
  assert.deepEqual(did.messages, []);
  assert.match(readFileSync(log, 'utf8'), /"initialize"/);
});
