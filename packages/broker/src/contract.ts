/**
 * What every engine has to pass: each sentence of the interfaces as a test, with nothing in it that is of one engine.
 * Calling one of these functions in a test file of vitest declares the tests.
 */
import { describe } from 'vitest';
import { bytesContract } from './contract/bytes.ts';
import { closingContract } from './contract/closing.ts';
import { deliveryContract } from './contract/delivery.ts';
import { historyContract } from './contract/history.ts';
import { lifetimeContract } from './contract/lifetime.ts';
import { randomContract } from './contract/random.ts';
import type { BrokerContract } from './contract/stage.ts';
import { suppressionContract } from './contract/suppression.ts';

export type { BrokerContract, BrokerStore } from './contract/stage.ts';
export { controlBusContract } from './control-contract.ts';
export type { ControlBusContract, ControlBusStore } from './control-contract.ts';

/** The contract of `Broker`. The store of each test is created before and closed after it. */
export function brokerContract(name: string, contract: BrokerContract): void {
  describe(`${name}`, () => {
    deliveryContract(contract);
    historyContract(contract);
    suppressionContract(contract);
    lifetimeContract(contract);
    bytesContract(contract);
    closingContract(contract);
    randomContract(contract);
  });
}
