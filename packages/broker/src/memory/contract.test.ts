import { brokerContract, controlBusContract } from '../contract.ts';
import { memoryBroker, memoryControlBus } from './index.ts';

const quiet = { onError: (): void => {} };

brokerContract('memory broker', {
  create: () => {
    let now = 0;
    return {
      node: () => memoryBroker({ now: () => now, ...quiet }),
      advance: (ms) => {
        now += ms;
      },
    };
  },
  can: { severalNodes: false, clock: true },
});

controlBusContract('memory control bus', {
  create: () => ({ node: () => memoryControlBus(quiet) }),
  can: { severalNodes: false },
});
