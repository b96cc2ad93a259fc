export type * from './broker.ts';
export type * from './control.ts';
