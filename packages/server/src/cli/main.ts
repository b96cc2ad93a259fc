/**
 * The program `gyre`. Environment and arguments are read here and handed on; nothing below looks for them.
 */
import { run } from './run.ts';

// How large the headers of a request may be is read by uWebSockets when it is loaded, which the commands do later. A
// token in a header or a cookie easily outgrows its default of 4 KiB.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '16384';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  color: process.stdout.isTTY,
});
