import { bool, objects, section, str } from '../option.ts';
import { proxyFields } from './proxy.ts';

const proxied = (alias: readonly string[]) => ({
  proxy_enabled: bool(false, 'Pass calls to the backend.', { served: 'guards', alias: [] }),
  proxy_name: str('default', 'Proxy that calls are passed to.', { served: 'guards', alias }),
});

/** `rpc` */
export const rpc = section(
  'Calls of clients.',
  {
    namespace_boundary: str(':', 'Ends the namespace in the name of a method.', { served: 'later' }),
    ping: section('A method that the server answers itself.', {
      enabled: bool(false, 'Answer it.', { alias: ['rpc_ping'] }),
      method: str('ping', 'Name of the method.', { alias: ['rpc_ping_method'] }),
    }),
    without_namespace: section('Methods whose name has no namespace.', proxied(['rpc_proxy_name'])),
    namespaces: objects(
      { name: str('', 'Letters, digits, `-`, `_` and `.`; at least two.'), ...proxied([]) },
      'Methods by namespace.',
      { served: 'guards' },
    ),
    proxy: section('Asked for the answer of a call.', proxyFields('rpc'), { served: 'guards' }),
  },
  { flat: 'rpc' },
);
