// Prints what is published in a channel, with the official JavaScript client: npm run client -- news [address]
import { Centrifuge } from 'centrifuge';

const [channel = 'news', address = 'ws://127.0.0.1:8000/connection/websocket'] = process.argv.slice(2);

const client = new Centrifuge(address);
client.on('connected', () => console.log(`connected to ${address}`));
client.on('connecting', ({ code, reason }) => code !== 0 && console.log(`connecting again: ${reason}`));
client.on('disconnected', ({ code, reason }) => console.log(`disconnected: ${code} ${reason}`));
client.on('error', ({ error }) => console.error(`cannot reach ${address}: ${error.message}`));

const subscription = client.newSubscription(channel);
subscription.on('subscribed', () => console.log(`waiting for publications in "${channel}", Ctrl-C ends`));
subscription.on('publication', ({ data }) => console.log(JSON.stringify(data)));
subscription.on('unsubscribed', ({ code, reason }) => console.log(`unsubscribed: ${code} ${reason}`));

subscription.subscribe();
client.connect();
