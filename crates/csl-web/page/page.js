// The page: files, the run in a worker, its answer, and the picture of the routes.
"use strict";
const by = (id) => document.getElementById(id);
const programs = JSON.parse(by("programs").textContent);
const PLAN = "run.json";
// Numbers of an array, and PEs of a picture, beyond which a page says only how many there are.
const MOST_NUMBERS = 400, MOST_PES = 4096;
let files = {}, open = "", marked = {}, worker = null, compiled = null, shown = null, hidden = new Set(), begun = 0;

// Files and the editor.

function choose(number) {
  const { files: texts, request } = programs[number];
  files = { ...texts, [PLAN]: plan(request) };
  marked = {};
  select(request.layout);
}

/** JSON with a line for each step. */
function plan(request) {
  const { steps, ...rest } = request;
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  return head + ',\n  "steps": [\n' + steps.map((step) => "    " + JSON.stringify(step)).join(",\n") + "\n  ]\n}\n";
}

function select(name) {
  open = name;
  by("files").replaceChildren(...Object.keys(files).map((file) => {
    const tab = element("button", file, { role: "tab", "aria-selected": String(file === name) });
    tab.onclick = () => select(file);
    return tab;
  }));
  by("text").value = files[name];
  paint();
}

function paint() {
  const text = by("text").value;
  const bad = marked[open] || new Set();
  by("lines").innerHTML = text.split("\n").map((_, index) => (bad.has(index + 1) ? `<b>${index + 1}</b>` : index + 1)).join("\n");
  by("colored").innerHTML = colored(text) + "\n";
}

function colored(text) {
  const words = new RegExp(`${/(\/\/.*)|("(?:[^"\\\n]|\\.)*")|(@\w+)|(\b\d[\w.]*)/.source}|(${WORDS.keywords})|(${WORDS.types})`, "g");
  const kinds = ["comment", "string", "builtin", "number", "keyword", "type"];
  let out = "", end = 0;
  for (const found of text.matchAll(words)) {
    const kind = kinds[found.slice(1).findIndex((part) => part !== undefined)];
    out += escaped(text.slice(end, found.index)) + `<span class="${kind}">${escaped(found[0])}</span>`;
    end = found.index + found[0].length;
  }
  return out + escaped(text.slice(end));
}

const escaped = (text) => text.replace(/[&<>]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[letter]);

function element(kind, text, attributes = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

// The run.

async function compile() {
  const packed = Uint8Array.from(atob(by("module").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  compiled = await WebAssembly.compile(await new Response(stream).arrayBuffer());
}

function hire() {
  worker = new Worker(URL.createObjectURL(new Blob([by("worker").textContent], { type: "text/javascript" })));
  worker.onmessage = ({ data }) => {
    if (data.ready) return idle("ready");
    if (data.crash) return crashed(data.crash);
    const answer = JSON.parse(data.answer);
    window.lastAnswer = answer;
    show(answer);
  };
  worker.postMessage({ module: compiled });
}

function idle(text, kind = "") {
  by("run").disabled = false;
  by("stop").disabled = true;
  by("status").textContent = text;
  by("status").className = kind;
}

/** The request of the page as it stands. */
function request() {
  const { [PLAN]: text, ...texts } = files;
  return { ...JSON.parse(text), files: texts, arch: by("arch").value };
}

function run() {
  let asked;
  try {
    asked = JSON.stringify(request());
  } catch (error) {
    by("output").replaceChildren(element("pre", `${PLAN}: ${error.message}`, { class: "bad" }));
    return idle("not run", "bad");
  }
  by("run").disabled = true;
  by("stop").disabled = false;
  by("status").textContent = "running";
  by("status").className = "";
  begun = performance.now();
  worker.postMessage({ request: asked });
}

function stop() {
  worker.terminate();
  hire();
  by("output").replaceChildren(element("p", "Stopped.", { class: "note" }));
}

function crashed(text) {
  const advice = /stack/i.test(text) ? "The program nests more deeply than a browser allows." : "This is a fault of the compiler or the simulator; please report the program.";
  by("output").replaceChildren(element("pre", `${text}\n${advice}`, { class: "bad" }));
  idle("ended", "bad");
}

// The answer.

function show(answer) {
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  marked = {};
  for (const { file, line } of answer.findings.flatMap(({ spans }) => spans)) (marked[file] ||= new Set()).add(line);
  paint();
  by("output").replaceChildren(...parts(answer));
  shown = answer.size ? answer : null;
  hidden = new Set();
  drawRoutes();
  if (!answer.done) return idle(answer.size ? "the run did not end well" : "did not compile", "bad");
  idle(answer.step_cycles.length ? `${answer.cycles.toLocaleString("en")} cycles, in ${seconds} s` : `compiled, in ${seconds} s`, "good");
}

function* parts(answer) {
  if (answer.diagnostics) yield element("pre", answer.diagnostics, { class: answer.size ? "" : "bad" });
  if (answer.error) yield element("pre", answer.error, { class: "bad" });
  const warnings = answer.log.filter((line) => line.startsWith("warning: "));
  if (warnings.length) yield element("pre", warnings.join("\n"));
  if (answer.prints) yield* [element("h3", "Prints"), element("pre", answer.prints)];
  if (answer.step_cycles.length) yield steps(answer);
  for (const array of answer.arrays) yield* [element("h3", `${array.symbol}, ${array.shape.join(" x ")}`), element("pre", numbers(array))];
  if (answer.size && !answer.log.length && !answer.error) yield element("p", "Compiled. There are no steps to run.", { class: "note" });
}

function steps(answer) {
  const table = element("table", "");
  const row = (cells, kind) => {
    const made = table.insertRow();
    cells.forEach((cell, place) => made.append(element(kind, cell, place ? { class: "number" } : {})));
  };
  row(["step", "ends in cycle", "cycles"], "th");
  const lines = answer.log.filter((line) => !line.startsWith("warning: "));
  lines.forEach((line, step) => {
    const end = answer.step_cycles[step];
    row([line, end.toLocaleString("en"), (end - (answer.step_cycles[step - 1] || 0)).toLocaleString("en")], "td");
  });
  return table;
}

/** An array with a line for each PE. */
function numbers({ values, shape }) {
  const [, columns, items] = shape;
  const short = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value);
  const lines = [];
  for (let at = 0; at < Math.min(values.length, MOST_NUMBERS); at += items) {
    const pe = at / items;
    lines.push(`PE ${pe % columns},${Math.floor(pe / columns)}: ${values.slice(at, at + items).map(short).join(" ")}`);
  }
  if (values.length > MOST_NUMBERS) lines.push(`... ${values.length} numbers`);
  return lines.join("\n");
}

// The picture: a square for each PE, and in it, for each color, lines from the sides on which wavelets come to the center and
// arrows to those on which they go. The ramp is the dot in the center: filled where the PE sends, a ring where it receives.

const SVG = "http://www.w3.org/2000/svg";
const SIDES = { NORTH: [0, -1], SOUTH: [0, 1], EAST: [1, 0], WEST: [-1, 0] };

function hue(color) {
  return `hsl(${(color * 137.5) % 360} 70% 45%)`;
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

function drawRoutes() {
  const colors = shown ? Object.keys(shown.routes).map(Number) : [];
  by("colors").replaceChildren(...colors.map((color) => {
    const chip = element("button", color, { "aria-pressed": String(!hidden.has(color)), style: `color: ${hue(color)}`, title: `color ${color}` });
    chip.onclick = () => {
      if (!hidden.delete(color)) hidden.add(color);
      drawRoutes();
    };
    return chip;
  }));
  by("picture").replaceChildren(picture(colors.filter((color) => !hidden.has(color))));
}

function picture(colors) {
  if (!shown) return element("p", "Nothing is compiled.", { class: "note" });
  const [width, height] = shown.size;
  if (width * height > MOST_PES) return element("p", `${width} x ${height} PEs are too many to draw.`, { class: "note" });
  const side = Math.max(14, Math.min(76, Math.floor(680 / width))), edge = 12;
  const svg = shape("svg", { width: width * side + 2 * edge, height: height * side + 2 * edge, role: "img", "aria-label": "routes of the program" });
  const names = [...new Set(shown.tiles.map((run) => run.program))];
  for (const run of shown.tiles) {
    for (let x = run.x; x < run.x + run.width; x++) {
      const square = shape("rect", { class: "pe", x: edge + x * side + 2, y: edge + run.y * side + 2, width: side - 4, height: side - 4, rx: 4 });
      if (names.length > 1) square.style.fill = `hsl(${names.indexOf(run.program) * 67 + 210} 40% 50% / .18)`;
      square.append(title(`PE ${x},${run.y}: ${run.program}`));
      svg.append(square);
      if (side >= 40) svg.append(label(edge + x * side + 6, edge + run.y * side + 12, `${x},${run.y}`));
    }
  }
  colors.forEach((color, place) => {
    // Colors lie side by side, so that none hides another.
    const shift = (place - (colors.length - 1) / 2) * Math.min(7, (side * 0.6) / colors.length);
    for (const run of shown.routes[color]) {
      for (let x = run.x; x < run.x + run.width; x++) cell(svg, color, run, edge + (x + 0.5) * side + shift, edge + (run.y + 0.5) * side + shift, side, shift, x);
    }
  });
  return svg;
}

function title(text) {
  const made = shape("title", {});
  made.textContent = text;
  return made;
}

function label(x, y, text) {
  const made = shape("text", { x, y });
  made.textContent = text;
  return made;
}

function cell(svg, color, route, x, y, side, shift, column) {
  const group = shape("g", { stroke: hue(color), fill: "none", "stroke-width": side > 30 ? 2 : 1.2 });
  group.append(title(`color ${color} at ${column},${route.y}: ${route.rx.join(" ")} > ${route.tx.join(" ")}${route.positions.some(Boolean) ? ", switches" : ""}`));
  const end = ([right, down]) => [right ? x + (right * side) / 2 - shift : x, down ? y + (down * side) / 2 - shift : y];
  const line = (from, to, attributes) => group.append(shape("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], ...attributes }));
  const further = route.positions.filter(Boolean);
  const reaches = (which) => (name) => {
    const way = SIDES[name];
    if (!way) return group.append(shape("circle", which === "rx" ? { cx: x, cy: y, r: side / 14, fill: hue(color) } : { cx: x, cy: y, r: side / 9 }));
    line([x, y], end(way), {});
    if (which === "tx" && side >= 24) group.append(arrow(end(way), way, side / 12, hue(color)));
  };
  route.rx.forEach(reaches("rx"));
  route.tx.forEach(reaches("tx"));
  for (const position of further) {
    for (const name of [...(position.rx || []), ...(position.tx || [])]) {
      const way = SIDES[name];
      if (way && !route.rx.includes(name) && !route.tx.includes(name)) line([x, y], end(way), { "stroke-dasharray": "3 3" });
    }
  }
  svg.append(group);
}

function arrow([x, y], [right, down], size, fill) {
  const point = (along, across) => `${x + right * along - down * across},${y + down * along + right * across}`;
  return shape("polygon", { points: [point(0, 0), point(-size * 1.6, size), point(-size * 1.6, -size)].join(" "), fill, stroke: "none" });
}

// Beginning.

programs.forEach((program, number) => by("program").append(element("option", program.title, { value: number })));
by("program").onchange = () => choose(Number(by("program").value));
by("text").oninput = () => {
  files[open] = by("text").value;
  paint();
};
by("text").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !by("run").disabled) run();
};
by("run").onclick = run;
by("stop").onclick = stop;
choose(0);
drawRoutes();
compile().then(hire, (error) => idle(`this browser cannot run it: ${error.message}`, "bad"));
