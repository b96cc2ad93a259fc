/**
 * Loaded into every server that a test starts, before anything else: ends it when the process that started it is gone,
 * however that ended. Its standard input is a pipe from there. It keeps nothing alive, so it hides no server that hangs.
 */
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();
// A pipe is a socket, which the general type of standard input does not say.
(process.stdin as NodeJS.ReadStream & { unref(): void }).unref();
