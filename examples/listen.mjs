// Prints what is published in a channel, with the official JavaScript client:
// npm run client -- news [address] [--token <token>], or the token in the variable TOKEN
import { parseArgs } from 'node:util';
import { Centrifuge } from 'centrifuge';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { token: { type: 'string' } } });
const [channel = 'news', address = 'ws://127.0.0.1:8000/connection/websocket'] = positionals;
const token = (values.token ?? process.env.TOKEN ?? '').trim();

const client = new Centrifuge(address, token === '' ? {} : { token });
client.on('connected', () => console.log(`connected to ${address}`));
client.on('connecting', ({ code, reason }) => code !== 0 && console.log(`connecting again: ${reason}`));
client.on('disconnected', ({ code, reason }) => {
  console.log(`disconnected: ${code} ${reason}`);
  if (code === 3501 && token === '')
    console.log('The server may want a token: --token, or the variable TOKEN');
});
client.on('error', ({ error }) => console.error(`cannot reach ${address}: ${error.message}`));

const subscription = client.newSubscription(channel);
subscription.on('subscribed', () => console.log(`waiting for publications in "${channel}", Ctrl-C ends`));
subscription.on('publication', ({ data }) => console.log(JSON.stringify(data)));
subscription.on('unsubscribed', ({ code, reason }) => console.log(`unsubscribed: ${code} ${reason}`));

subscription.subscribe();
client.connect();
