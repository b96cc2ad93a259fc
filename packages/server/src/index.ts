export { compose, type Server } from './compose.ts';
