// What package.json and the language configuration say: the patterns against what the `cslc` of the PATH prints, the names against the code.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const file = (name) => new URL(`../${name}`, import.meta.url);
const json = (name) => JSON.parse(readFileSync(file(name), 'utf8'));
const manifest = json('package.json');
const { contributes } = manifest;
const folder = mkdtempSync(join(tmpdir(), 'csl-manifest-'));
after(() => rmSync(folder, { recursive: true }));

const sources = ['program', 'server', 'tasks', 'commands', 'extension'].map((name) => readFileSync(file(`src/${name}.js`), 'utf8')).join('\n');

test('files that are named are there', () => {
  const named = [
    manifest.main,
    ...contributes.languages.map((language) => language.configuration),
    ...contributes.grammars.map((grammar) => grammar.path),
    ...contributes.snippets.map((snippets) => snippets.path),
  ];
  for (const name of named) {
    assert.ok(existsSync(file(name)), name);
  }
});

test('every setting that is read is declared, and every declared one is read', () => {
  const read = [...sources.matchAll(/get\('([\w.]+)'|settings: '([\w.]+)'/g)].map((found) => `waferlab.${found[1] ?? found[2]}`);
  // The client itself reads the last one.
  const declared = Object.keys(contributes.configuration.properties);
  assert.deepEqual([...new Set([...read, 'waferlab.trace.server'])].sort(), declared.sort());
});

test('every subcommand that is started is one of waferlab', () => {
  const help = execFileSync('waferlab', ['--help'], { encoding: 'utf8' });
  const started = ['cslc', 'run', 'explore', 'lint', 'fmt', 'inspect', 'doc', 'csdb'];
  for (const name of started) {
    assert.match(sources, new RegExp(`'${name}'`));
    assert.match(help, new RegExp(`^ +${name} `, 'm'));
  }
  const words = [...sources.matchAll(/\[waferlab, '(\w+)'|ask\(.*?\['(\w+)'|shellArgs: \['(\w+)'/g)].map((found) => found[1] ?? found[2] ?? found[3]);
  assert.deepEqual([...new Set(words)].sort(), started.sort());
});

const BAD = {
  'layout.csl': 'layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, "pe.csl");\n}\n',
  'pe.csl': 'const never = 1;\nvar x: u16 = 0;\nexport fn main() void {\n  totl += 1;\n  x = y;\n}\n',
};

// What `cslc` prints of the faulty program.
function printed(...args) {
  for (const [name, content] of Object.entries(BAD)) {
    writeFileSync(join(folder, name), content);
  }
  const { stdout, stderr } = spawnSync('cslc', [join(folder, 'layout.csl'), '-o', join(folder, 'out'), ...args], { encoding: 'utf8' });
  return `${stdout}${stderr}`.split('\n');
}

const TOLD = [
  ['error', 'E0201', 'use of undeclared identifier `totl`', join(folder, 'pe.csl'), '4', '3'],
  ['error', 'E0201', 'use of undeclared identifier `y`', join(folder, 'pe.csl'), '5', '7'],
];

const pattern = (name) => contributes.problemPatterns.find((pattern) => pattern.name === name);

test('the problem matcher reads the short form', () => {
  const { regexp, severity, code, message, file, line, column } = pattern('cslc');
  const found = printed('--error-format=short').map((text) => text.match(new RegExp(regexp))).filter(Boolean);
  assert.deepEqual(found.map((match) => [severity, code, message, file, line, column].map((group) => match[group])), TOLD);
});

test('the problem matcher for people reads the long form', () => {
  const [head, place] = pattern('cslc-for-people').patterns;
  const lines = printed('--color=never');
  const found = lines.flatMap((text, index) => {
    const first = text.match(new RegExp(head.regexp));
    const second = (lines[index + 1] ?? '').match(new RegExp(place.regexp));
    return first && second
      ? [[first[head.severity], first[head.code], first[head.message], second[place.file], second[place.line], second[place.column]]]
      : [];
  });
  assert.deepEqual(found, TOLD);
});

test('matchers name patterns that are there', () => {
  for (const matcher of contributes.problemMatchers) {
    assert.ok(pattern(matcher.pattern.slice(1)), matcher.name);
  }
});

test('indentation and comments', () => {
  const { indentationRules, onEnterRules, wordPattern, comments, folding } = json('language-configuration.json');
  assert.equal(comments.lineComment, '//');
  const more = new RegExp(indentationRules.increaseIndentPattern);
  const less = new RegExp(indentationRules.decreaseIndentPattern);
  for (const line of ['layout {', '  for (@range(u16, n)) |i| {', '@set_tile_code(x, y, "pe.csl", .{', 'f( // why', '} else {']) {
    assert.match(line, more);
  }
  for (const line of ['// a {', 'x = 1; // {', 'const a = .{ .b = 1 };', '}', 'f();']) {
    assert.doesNotMatch(line, more);
  }
  for (const line of ['}', '  });', '  } else {', ')']) {
    assert.match(line, less);
  }
  const appended = (line, rest = '') =>
    onEnterRules.find((rule) => new RegExp(rule.beforeText).test(line) && new RegExp(rule.afterText ?? '').test(rest))?.action.appendText;
  assert.equal(appended('/// of f'), '/// ');
  assert.equal(appended('//! of the file'), '//! ');
  assert.equal(appended('// a ', 'b'), '// ');
  assert.equal(appended('// a'), undefined);
  assert.equal(appended('//// rule'), undefined);
  const words = '@fmacs(y_dsd, 0x1f, 1.5)'.match(new RegExp(wordPattern, 'g'));
  assert.deepEqual(words, ['@fmacs', 'y_dsd', '0x1f', '1.5']);
  assert.match('  // #region a', new RegExp(folding.markers.start));
  assert.match('  // #endregion', new RegExp(folding.markers.end));
});
