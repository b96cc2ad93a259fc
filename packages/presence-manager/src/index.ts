export type * from './presence-manager.ts';
