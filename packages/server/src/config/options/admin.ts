import { bool, section, str } from '../option.ts';

/** `admin` */
export const admin = section(
  'The admin pages.',
  {
    enabled: bool(false, 'Serve them.', { alias: ['admin'] }),
    password: str('', 'Password of the login.', { secret: true }),
    secret: str('', 'Secret that logins are signed with.', { secret: true }),
    insecure: bool(false, 'Let everybody in without a login.'),
    external: bool(false, 'Serve them on the external listener.'),
    handler_prefix: str('', 'Path that they are served under.'),
    web_path: str('', 'Directory to serve in place of the built-in pages.'),
    web_proxy_address: str('', 'Address to fetch the pages from, in place of the built-in ones.'),
  },
  { served: 'later', flat: 'admin' },
);
