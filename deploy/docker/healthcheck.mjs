/**
 * Ends with 0 where the server of this container answers. The port is that of the environment; a server that has its
 * ports from a file, or TLS, is found by HEALTH_URL.
 */
const { HEALTH_URL, GYRE_HTTP_SERVER_INTERNAL_PORT: internal, GYRE_HTTP_SERVER_PORT: port } = process.env;
const url = HEALTH_URL ?? `http://127.0.0.1:${internal || port || 8000}/health`;

const ok = await fetch(url, { signal: AbortSignal.timeout(2500) }).then(
  (response) => response.ok,
  () => false,
);
process.exitCode = ok ? 0 : 1;
