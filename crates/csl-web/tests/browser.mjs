// Opens the playground in headless Chromium and uses it as a person would: `node browser.mjs CHROMIUM PAGE ANSWER`. ANSWER
// is the program that answers requests on this machine: its answers and the page's are to be equal.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [chromium, page, native] = process.argv.slice(2);
const PATIENCE = 120_000;
const profile = mkdtempSync(join(tmpdir(), "waferlab-chromium-"));
// Commands and events of the browser go over two pipes, a JSON text each with a zero behind it.
const browser = spawn(chromium, [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", `--user-data-dir=${profile}`,
  "--window-size=1280,800", "about:blank",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const waiting = new Map();
let last = 0, rest = "", session;
browser.stdio[4].setEncoding("utf8").on("data", (data) => {
  const texts = (rest + data).split("\0");
  rest = texts.pop();
  for (const text of texts) {
    const { id, result, error } = JSON.parse(text);
    if (!waiting.has(id)) continue;
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    error ? reject(new Error(error.message)) : resolve(result);
  }
});
browser.on("exit", (status) => waiting.forEach(({ reject }) => reject(new Error(`the browser ended with ${status}`))));

function send(method, params = {}) {
  const id = ++last;
  browser.stdio[3].write(JSON.stringify({ id, method, params, sessionId: session }) + "\0");
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** The value of an expression in the page. */
async function value(expression) {
  const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

async function until(expression) {
  const end = Date.now() + PATIENCE;
  while (!(await value(expression))) {
    if (Date.now() >= end) assert.fail(`${expression} does not come true; status: ${await value("by('status').textContent")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const READY = "!by('run').disabled";

/** Clicks Run and waits; returns the answer. */
async function run() {
  await until(READY);
  await value("lastAnswer = null, by('run').click()");
  await until(`${READY} && by('status').textContent !== 'running'`);
  return value("lastAnswer");
}

function edit(text) {
  return value(`by('text').value = ${JSON.stringify(text)}, by('text').dispatchEvent(new Event('input'))`);
}

async function picture(name) {
  const { data } = await send("Page.captureScreenshot", { format: "png" });
  writeFileSync(join(dirname(page), name), Buffer.from(data, "base64"));
}

async function open() {
  const { targetInfos } = await send("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }) => type === "page");
  ({ sessionId: session } = await send("Target.attachToTarget", { targetId, flatten: true }));
  await send("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  await send("Page.navigate", { url: pathToFileURL(page).href });
  await until("document.readyState === 'complete' && typeof programs === 'object' && by('status').textContent === 'ready'");
}

async function programsAnswerAsOnThisMachine() {
  const count = await value("programs.length");
  assert(count >= 5);
  for (let number = 0; number < count; number++) {
    for (const arch of ["wse2", "wse3"]) {
      await value(`by('program').value = ${number}, by('program').onchange(), by('arch').value = '${arch}'`);
      const answer = await run();
      const here = spawnSync(native, { input: await value("JSON.stringify(request())"), maxBuffer: 1 << 28 });
      assert.deepEqual(answer, JSON.parse(here.stdout), `program ${number} on ${arch}`);
      assert(answer.done && answer.cycles > 0, JSON.stringify(answer));
      assert.match(await value("by('status').textContent"), /^[\d,]+ cycles/);
      console.log(`${await value("programs[" + number + "].title")}, ${arch}: ${answer.cycles} cycles`);
    }
    await picture(`program-${number}.png`);
  }
}

async function aMistakeIsShownAtItsLine() {
  await value("by('program').value = 1, by('program').onchange(), select('axpy.csl')");
  await edit((await value("by('text').value")).replace("y[i] += a", "z[i] += a"));
  const answer = await run();
  assert(!answer.done && answer.findings.length > 0);
  assert.match(await value("by('output').textContent"), /axpy\.csl:\d+/);
  assert.equal(await value("document.querySelector('#lines b').textContent"), String(answer.findings[0].spans[0].line));
  await picture("mistake.png");
}

async function aWrongPlanIsNamed() {
  await value("by('program').value = 1, by('program').onchange(), select('run.json')");
  await edit("{");
  await until(READY);
  await value("by('run').click()");
  assert.match(await value("by('output').textContent"), /^run\.json: /);
}

async function anEndlessRunIsStopped() {
  await value("by('program').value = 1, by('program').onchange(), select('axpy.csl')");
  await edit((await value("by('text').value")).replace("calls[0] += 1;", "while (true) { calls[0] += 1; }"));
  await value("select('run.json')");
  await edit((await value("by('text').value")).replace("{", '{ "max_cycles": 1000000000000000,'));
  await until(READY);
  await value("by('run').click()");
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert(await value("by('run').disabled"), "it runs");
  await value("by('stop').click()");
  assert.match(await value("by('output').textContent"), /^Stopped/);
  await value("by('program').value = 1, by('program').onchange()");
  assert((await run()).done, "the page goes on");
}

async function deepNestingIsSurvived() {
  await value("by('program').value = 1, by('program').onchange(), select('axpy.csl')");
  const deep = "(".repeat(20_000) + "a" + ")".repeat(20_000);
  await edit((await value("by('text').value")).replace("a * x[i]", `${deep} * x[i]`));
  await run();
  await value("by('program').value = 1, by('program').onchange()");
  assert((await run()).done, "the page goes on");
}

try {
  await open();
  for (const test of [programsAnswerAsOnThisMachine, aMistakeIsShownAtItsLine, aWrongPlanIsNamed, anEndlessRunIsStopped, deepNestingIsSurvived]) {
    await test();
    console.log(`pass  ${test.name}`);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  // Its processes write into the profile until they have ended.
  const ended = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill();
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
