export { applyDelta } from './delta.testing.ts';
