import { choice, section, str } from '../option.ts';

/** `log` */
export const log = section(
  'The log.',
  {
    level: choice(
      ['none', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'],
      'info',
      'Least severe level that is written.',
    ),
    file: str('', 'File that the log is appended to; empty is standard error.'),
  },
  { flat: 'log' },
);
