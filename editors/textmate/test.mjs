// Tokenizes text with the engine of VS Code and compares scopes. Arguments: the folder of the grammar, that of the examples; with
// --update the snapshots are written anew.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const require = createRequire(import.meta.url);
const oniguruma = require('vscode-oniguruma');
const { Registry, parseRawGrammar, INITIAL } = require('vscode-textmate');

const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));

const file = join(process.argv[2], 'csl.tmLanguage.json');
const source = readFileSync(file, 'utf8');
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => (scope === 'source.csl' ? parseRawGrammar(source, file) : null),
});
const grammar = await registry.loadGrammar('source.csl');

// Each line with its tokens: where they begin and end, and their innermost scope.
function lines(text) {
  let stack = INITIAL;
  return text.split('\n').map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return { line, tokens: tokens.map(({ startIndex, endIndex, scopes }) => ({ start: startIndex, end: endIndex, scope: scopes.at(-1) })) };
  });
}

// The innermost scope of each token, by the token's text; white space is left out.
function scopes(text) {
  const found = lines(text).flatMap(({ line, tokens }) => tokens.map(({ start, end, scope }) => [line.slice(start, end).trim(), scope]));
  return found.filter(([part]) => part !== '');
}

function check(text, ...expected) {
  const found = scopes(text);
  for (const [part, scope] of expected) {
    const there = found.some(([text, name]) => text === part && name === scope);
    assert.ok(there, `\`${part}\` has not the scope ${scope} in\n${text}\n${JSON.stringify(found)}`);
  }
}

check(
  'export var x: u16 = 0x1f; // why',
  ['export', 'storage.modifier.csl'],
  ['var', 'storage.type.csl'],
  ['x', 'variable.other.declaration.csl'],
  ['u16', 'support.type.csl'],
  ['=', 'keyword.operator.csl'],
  ['0x1f', 'constant.numeric.integer.csl'],
  ['// why', 'comment.line.double-slash.csl'],
);
check(
  'task main(a: i24) void { if (!true and f(a) >= 1.5e-3) return; }',
  ['task', 'storage.type.csl'],
  ['main', 'entity.name.function.csl'],
  ['i24', 'support.type.csl'],
  ['void', 'support.type.csl'],
  ['if', 'keyword.control.csl'],
  ['true', 'constant.language.csl'],
  ['and', 'keyword.operator.word.csl'],
  ['f', 'entity.name.function.call.csl'],
  ['>=', 'keyword.operator.csl'],
  ['1.5e-3', 'constant.numeric.float.csl'],
);
// A builtin that is there, and one that is not; a keyword as the name of a field.
check(
  '@fmacs(d, .{ .align = EAST, .x = s.fn });',
  ['@fmacs', 'support.function.builtin.csl'],
  ['align', 'variable.other.member.csl'],
  ['EAST', 'constant.language.csl'],
);
assert.ok(!scopes('@fmac(d)').some(([, scope]) => scope === 'support.function.builtin.csl'));
assert.ok(!scopes('x.fn;').some(([, scope]) => scope === 'storage.type.csl'));
check(
  '"a // b\\n\\q"; \'\\x41\'',
  ['a // b', 'string.quoted.double.csl'],
  ['\\n', 'constant.character.escape.csl'],
  ['\\q', 'invalid.illegal.escape.csl'],
  ['\\x41', 'constant.character.escape.csl'],
);
check('/// of f', ['/// of f', 'comment.line.documentation.csl']);
check('//// rule', ['//// rule', 'comment.line.double-slash.csl']);
// A string that is left open ends with its line.
check('"open\nvar x', ['var', 'storage.type.csl']);

// The Citation Style Language is XML: none of it is ours.
const citation = '<?xml version="1.0"?>\n<style class="in-text">\n  <if variable="title"> // for </if>\n</style>';
assert.ok(scopes(citation).every(([, scope]) => !scope.includes('.csl') || scope === 'source.csl'), JSON.stringify(scopes(citation)));
const first = new oniguruma.OnigScanner([JSON.parse(source).firstLineMatch]);
for (const [line, ours] of [
  ['// a comment', true],
  ['param width: u16;', true],
  ['<?xml version="1.0"?>', false],
  ['<style xmlns="http://purl.org/net/xbiblio/csl">', false],
]) {
  assert.equal(first.findNextMatchSync(line, 0) !== null, ours, line);
}

// Every example: nothing in it is wrong, every builtin is one, and no text between tokens looks like a keyword.
const programs = readdirSync(process.argv[3], { recursive: true }).filter((name) => name.endsWith('.csl'));
assert.ok(programs.length >= 10, `${programs}`);
for (const name of programs) {
  for (const [part, scope] of scopes(readFileSync(join(process.argv[3], name), 'utf8'))) {
    assert.doesNotMatch(scope, /invalid/, `${name}: ${part}`);
    if (scope === 'source.csl') assert.doesNotMatch(part, /@\w|\b(?:const|var|param|fn|task|layout|comptime|if|for|u16|f32|true)\b/, `${name}: ${part}`);
  }
}

// Snapshots of some: the scopes of each line below it.
for (const name of ['stencil-halo/layout.csl', 'stencil-halo/rod.csl', 'stream-fifo/scale.csl']) {
  const shown = lines(readFileSync(join(process.argv[3], name), 'utf8')).flatMap(({ line, tokens }) => {
    const scoped = tokens.filter(({ scope }) => scope !== 'source.csl');
    return [`>${line}`, ...scoped.map(({ start, end, scope }) => `#${' '.repeat(start)}${'^'.repeat(end - start)} ${scope}`)];
  });
  const snapshot = join(process.argv[2], 'snapshots', name.replace('/', '-').replace(/csl$/, 'txt'));
  const text = `${shown.join('\n')}\n`;
  if (process.argv.includes('--update')) {
    mkdirSync(join(process.argv[2], 'snapshots'), { recursive: true });
    writeFileSync(snapshot, text);
  }
  const before = existsSync(snapshot) ? readFileSync(snapshot, 'utf8') : '';
  assert.equal(text, before, `${basename(snapshot)} has other scopes; test.mjs ... --update writes it anew`);
}
console.log('the TextMate grammar: fine');
