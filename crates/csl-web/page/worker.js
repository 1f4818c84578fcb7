// Runs the compiler and the simulator beside the page, so that the page can end a run.
"use strict";
let module, exports;

function start() {
  exports = new WebAssembly.Instance(module, {}).exports;
}

function answer(request) {
  const bytes = new TextEncoder().encode(request);
  const room = exports.waferlab_room(bytes.length);
  new Uint8Array(exports.memory.buffer, room, bytes.length).set(bytes);
  const length = exports.waferlab_answer();
  return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.waferlab_text(), length));
}

onmessage = ({ data }) => {
  try {
    if (data.module) {
      module = data.module;
      start();
      postMessage({ ready: true });
    } else {
      postMessage({ answer: answer(data.request) });
    }
  } catch (error) {
    // Memory is in no known state: the next request gets another.
    start();
    postMessage({ crash: String(error) });
  }
};
