/** What the banner needs to know. */
export interface BannerFacts {
  readonly version: string;
  readonly address: string;
  readonly port: number;
  readonly apiKey: string;
  readonly tokenSecret: string;
  /** Paths as configured. */
  readonly paths: {
    readonly api: string;
    readonly websocket: string;
    readonly metrics: string;
    readonly health: string;
  };
}

/**
 * What development mode says once it serves: where everything is, and commands that can be pasted as they stand.
 * @param color write with ANSI colours
 */
export function banner(facts: BannerFacts, color: boolean): string {
  const { apiKey, paths, port, address } = facts;
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
  const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text);
  const host = `${address}:${port}`;
  return `
${bold(`Gyre ${facts.version}`)} serves in development mode, on this machine only, everything allowed.
${dim('Keys are made anew at each start. For anything else: npm start -- --config config.json')}

  WebSocket     ws://${host}${paths.websocket}
  Server API    http://${host}${paths.api}
  Health        http://${host}${paths.health}
  Metrics       http://${host}${paths.metrics}
  API key       ${apiKey}
  Token secret  ${facts.tokenSecret}

${bold('1. Listen')}, in a second terminal, with the official JavaScript client:

npm run client -- news

${bold('2. Publish')}, in a third one:

curl -X POST http://${host}${paths.api}/publish \\
  -H 'X-API-Key: ${apiKey}' \\
  -d '{"channel": "news", "data": {"text": "hello"}}'

${bold('In your own code')} (npm install centrifuge):

import { Centrifuge } from 'centrifuge';

const client = new Centrifuge('ws://${host}${paths.websocket}');
const news = client.newSubscription('news');
news.on('publication', (publication) => console.log(publication.data));
news.subscribe();
client.connect();

${dim('Ctrl-C ends it.')}
`;
}
