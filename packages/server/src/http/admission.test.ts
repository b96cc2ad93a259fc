import { describe, expect, it, vi } from 'vitest';
import { createAdmission, type AdmissionOptions } from './admission.ts';

const options: AdmissionOptions = {
  connectionLimit: 0,
  connectingLimit: 0,
  connectionRateLimit: 0,
  loopLagLimit: 0,
  connections: () => ({ open: 1000, clients: 0 }),
  loopLag: () => 1000,
  barred: () => undefined,
};

describe('admission', () => {
  it('welcomes everybody without limits', () => {
    const admission = createAdmission(options);
    for (let i = 0; i < 1000; i++) expect(admission.refuse()).toBe(false);
  });

  it('keeps the number of connections, and counts whom it refused for it', () => {
    let open = 2;
    const connections = () => ({ open, clients: 0 });
    const admission = createAdmission({ ...options, connectionLimit: 2, connections });
    expect(admission.refuse()).toBe(true);
    open = 1;
    expect(admission.refuse()).toBe(false);
    expect(admission.refusals.connection_limit).toBe(1);
  });

  it('keeps the number of those that are not connected yet', () => {
    let clients = 9;
    const connections = () => ({ open: 10, clients });
    const admission = createAdmission({ ...options, connectingLimit: 2, connections });
    expect(admission.refuse()).toBe(false);
    clients = 8;
    expect(admission.refuse()).toBe(true);
    expect(admission.refusals).toMatchObject({ connecting_limit: 1, connection_limit: 0 });
  });

  it('refuses while the event loop lags, and spends no token on it', () => {
    let lag = 51;
    const limits = { loopLagLimit: 50, connectionRateLimit: 1, loopLag: () => lag };
    const admission = createAdmission({ ...options, ...limits });
    expect(admission.refuse()).toBe(true);
    lag = 50;
    expect([admission.refuse(), admission.refuse()]).toEqual([false, true]);
    expect(admission.refusals).toMatchObject({ loop_lag: 1, connection_rate_limit: 1 });
  });

  it('admits N a second, N at once', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const admission = createAdmission({ ...options, connectionRateLimit: 5 });
      const admitted = (tries: number) => {
        let count = 0;
        for (let i = 0; i < tries; i++) if (!admission.refuse()) count++;
        return count;
      };
      expect(admitted(40)).toBe(5);
      let total = 0;
      for (let i = 0; i < 40; i++) {
        vi.advanceTimersByTime(100);
        total += admitted(3);
      }
      expect(total).toBe(20);
      vi.advanceTimersByTime(60_000);
      expect(admitted(40)).toBe(5);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(['shutdown', 'redis'] as const)('refuses everybody for %s, and says so', (barred) => {
    const admission = createAdmission({ ...options, barred: () => barred });
    expect(admission.refuse()).toBe(true);
    expect(admission.refusals[barred]).toBe(1);
  });
});
