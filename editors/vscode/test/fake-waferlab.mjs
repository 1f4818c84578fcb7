// Stands in for `waferlab`: answers as the language server does, in a few words, and writes what it was asked to the file of LOG.
import { appendFileSync } from 'node:fs';

const args = process.argv.slice(2);
const log = (entry) => appendFileSync(process.env.LOG, `${JSON.stringify(entry)}\n`);
log({ args });

if (process.env.IS_OLD && args[0] === 'lsp') {
  console.error("error: unrecognized subcommand 'lsp'");
  process.exit(2);
}
if (args[0] !== 'lsp' || args.includes('--help')) {
  console.log(`# ${args.join(' ')}`);
  process.exit(0);
}

function send(message) {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

const CAPABILITIES = { textDocumentSync: 1, hoverProvider: true, documentFormattingProvider: true };
const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };

function answer({ id, method, params }) {
  log({ method });
  if (method === 'initialize') {
    send({ id, result: { capabilities: CAPABILITIES, serverInfo: { name: 'fake' } } });
  } else if (method === 'textDocument/didOpen') {
    const diagnostics = [{ range, severity: 1, code: 'E0201', source: 'waferlab', message: 'a mistake' }];
    send({ method: 'textDocument/publishDiagnostics', params: { uri: params.textDocument.uri, diagnostics } });
  } else if (method === 'shutdown') {
    send({ id, result: null });
  } else if (method === 'exit') {
    process.exit(0);
  } else if (id !== undefined) {
    send({ id, result: null });
  }
}

let input = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  input = Buffer.concat([input, chunk]);
  for (;;) {
    const end = input.indexOf('\r\n\r\n');
    const length = Number(/Content-Length: (\d+)/i.exec(input.subarray(0, Math.max(end, 0)).toString())?.[1]);
    if (end < 0 || input.length < end + 4 + length) return;
    const message = JSON.parse(input.subarray(end + 4, end + 4 + length).toString());
    input = input.subarray(end + 4 + length);
    answer(message);
  }
});
process.stdin.on('end', () => process.exit(0));
