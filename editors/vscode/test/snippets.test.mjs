// Every snippet, as it stands before anything is typed, compiles for both chips with the `cslc` of the PATH, and is formatted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const snippets = JSON.parse(readFileSync(new URL('../snippets/csl.json', import.meta.url), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'csl-snippets-'));
after(() => rmSync(folder, { recursive: true }));

// The text of a snippet whose places are all left as they are; `last` stands where the cursor ends.
function text(name, last = '') {
  const defaults = { 0: last };
  const body = snippets[name].body.join('\n');
  const choice = /\$\{(\d+)\|([^,|]*)[^|]*\|\}/g;
  const place = /\$\{(\d+)(?::([^}]*))?\}/g;
  const filled = body
    .replace(choice, (_, number, first) => (defaults[number] = first))
    .replace(place, (_, number, value) => (defaults[number] ??= value ?? ''));
  return filled.replace(/\$(\d+)/g, (whole, number) => defaults[number] ?? assert.fail(`${name}: ${whole} has no value`));
}

const PE = `
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
`;
const COLORS = `
const data = @get_color(3);
const to_east = @get_color(4);
const from_west = @get_color(4);
`;
const ARRAYS = `
var y = @zeros([16]f32);
var x = @zeros([16]f32);
var a = @zeros([2, 3]f32);
const y_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{16} -> y[i] });
const x_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{16} -> x[i] });
`;
const MAIN = `
fn main() void {
  sys_mod.unblock_cmd_stream();
}
comptime {
  @export_symbol(main);
}
`;
const layout = (more) => `
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 3, .height = 1 });
${more}
`;
const around = (names, colors) => layout(`
${colors}
layout {
  @set_rectangle(3, 1);
  for (@range(u16, 3)) |px| {
    @set_tile_code(px, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(px) });
  }
  const x = 0;
  const y = 0;
  const width = 3;
  ${names}
}
`);
const program = (before, snippet) => ({ 'layout.csl': around('@export_name("main", fn()void);', ''), 'pe.csl': PE + before + snippet + MAIN });
const inFunction = (before) => (snippet) => program(before, `export fn f(a: f32, n: u16) void {\n${snippet}\n}\n`);
const inLayout = (snippet) => ({ 'layout.csl': around(`@export_name("main", fn()void);\n${snippet}`, 'const data = @get_color(3);'), 'pe.csl': PE + MAIN });

// Where each snippet stands, as files of a program around it.
const PLACES = {
  'Layout with memcpy': (snippet) => ({ 'layout.csl': snippet, 'pe.csl': text('PE program with memcpy') }),
  'Layout of one PE': (snippet) => ({ 'layout.csl': snippet, 'pe.csl': 'export fn main() void {}\n' }),
  'PE program with memcpy': (snippet) => ({ 'layout.csl': text('Layout with memcpy'), 'pe.csl': snippet }),
  'Array for the host': (snippet) => ({
    'layout.csl': around('@export_name("a", [*]f32, true);\n@export_name("main", fn()void);', ''),
    'pe.csl': PE + snippet + MAIN,
  }),
  'Function for the host': (snippet) => ({ 'layout.csl': around('@export_name("run", fn()void);', ''), 'pe.csl': PE + snippet }),
  'Names for the host': (snippet) => ({ 'layout.csl': around(snippet, ''), 'pe.csl': text('PE program with memcpy') }),
  'Local task': (snippet) => program('', `${snippet}\ncomptime {\n  @activate(step_id);\n}\n`),
  'Data task': (snippet) => program(COLORS, snippet),
  'Control task': (snippet) => program('', snippet),
  'DSD of memory': (snippet) => program('var y = @zeros([16]f32);\n', snippet),
  'DSD of several dimensions': (snippet) => program(ARRAYS, snippet),
  'DSD of wavelets that arrive': (snippet) => program(COLORS, snippet),
  'DSD of wavelets to send': (snippet) => program(COLORS, snippet),
  Exchange: (snippet) => program(COLORS, `${snippet}\nexport fn f() void {\n  swap();\n}\n`),
  FIFO: (snippet) => program('', snippet),
  'Routes of a color': inLayout,
  'Routes with a switch': inLayout,
  'Row of routes': (snippet) => ({ 'layout.csl': around(`@export_name("main", fn()void);\n${snippet}`, ''), 'pe.csl': PE + MAIN }),
  'Control wavelet': (snippet) => program(COLORS, `${snippet}\nexport fn f() void {\n  turn_switches();\n}\n`),
  'Asynchronous operation': (snippet) =>
    inFunction(`${ARRAYS}${COLORS}${text('DSD of wavelets that arrive')}\n${text('Local task').replaceAll('step', 'done')}
const to = x_dsd;
const from = in_dsd;
`)(snippet),
  'Multiply and add': inFunction(ARRAYS.replace('var a = @zeros([2, 3]f32);', '')),
  'Loop over numbers': inFunction(''),
  Map: inFunction(`${ARRAYS.replace('var a = @zeros([2, 3]f32);', '')}\nfn g(v: f32) f32 {\n  return v + v;\n}\n`),
  Print: (snippet) => program('', `${snippet}\nexport fn f() void {\n  tell();\n}\n`),
  Timestamps: (snippet) => program('', `${snippet}\nexport fn f() void {\n  timed();\n}\n`),
  'By chip': inFunction(''),
};

function run(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return assert.fail(`${command} ${args.join(' ')}: ${error.stderr ?? error}`);
  }
}

// Compiles the files; warnings count, too.
function compile(files, ...args) {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
  }
  run('cslc', 'layout.csl', '--memcpy', '--warnings-as-errors', '-o', 'out', ...args);
}

test('every snippet has a place', () => {
  assert.deepEqual(Object.keys(PLACES).sort(), Object.keys(snippets).sort());
  const prefixes = Object.values(snippets).map((snippet) => snippet.prefix);
  assert.equal(new Set(prefixes).size, prefixes.length, `${prefixes}`);
});

for (const [name, place] of Object.entries(PLACES)) {
  test(`${name} compiles`, () => {
    for (const arch of ['wse2', 'wse3']) {
      const params = name === 'Layout with memcpy' || name === 'PE program with memcpy' ? ['--params=width:2,height:2'] : [];
      compile(place(text(name)), `--arch=${arch}`, ...params);
    }
  });
  test(`${name} is formatted`, () => {
    const whole = text(name).replace(/^\s+$/gm, '');
    // What stands in a function or in the layout block is a piece of a file.
    for (const [before, after] of [['', ''], ['fn f() void {\n', '\n}'], ['layout {\n', '\n}']]) {
      const source = before + (before === '' ? whole : whole.replace(/^(?=.)/gm, '  ')) + after + '\n';
      writeFileSync(join(folder, 'format.csl'), source);
      try {
        const formatted = execFileSync('waferlab', ['fmt', '--stdin'], { input: source, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
        return assert.equal(formatted, source);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
      }
    }
    return assert.fail('it does not parse');
  });
}

test('layout and PE program run', () => {
  compile({ 'layout.csl': text('Layout with memcpy'), 'pe.csl': text('PE program with memcpy') }, '--params=width:2,height:2');
  assert.match(run('waferlab', 'run', 'out', '--launch', 'main', '--d2h', 'y=-'), /y of 1,1: 0 0/);
});

test('the exchange runs to its end', () => {
  const exchange = text('Exchange', 'sys_mod.unblock_cmd_stream();');
  const pe = PE + COLORS + exchange + 'fn main() void {\n  swap_mine[3] = 7.0;\n  swap();\n}\n' +
    'const swap_other_ptr: [*]f32 = &swap_other;\ncomptime {\n  @export_symbol(main);\n  @export_symbol(swap_other_ptr, "other");\n}\n';
  const names = '@export_name("main", fn()void);\n@export_name("other", [*]f32, false);';
  const routes = 'for (@range(u16, 3)) |px| {\n@set_color_config(px, 0, @get_color(4), .{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } });\n}';
  for (const arch of ['wse2', 'wse3']) {
    compile({ 'layout.csl': around(`${names}\n${routes}`, ''), 'pe.csl': pe }, `--arch=${arch}`);
    assert.match(run('waferlab', 'run', 'out', '--launch', 'main', '--d2h', 'other=-'), /other of 2,0: 0 0 0 7 0/);
  }
});
