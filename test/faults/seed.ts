/** The seed of this run: `FAULT_SEED`, else a new one. Printed, so that a failure can be had again. */
export const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

/** Everything of the catalogue, at full length: `npm run faults`. */
export const full = process.env['FAULTS'] === 'full';

console.log(`faults: FAULT_SEED=${seed}${full ? ', the full set' : ''}`);
