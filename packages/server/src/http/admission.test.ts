import { describe, expect, it, vi } from 'vitest';
import { createAdmission } from './admission.ts';

const options = { connectionLimit: 0, connectionRateLimit: 0, connections: () => 0, accepting: () => true };

describe('admission', () => {
  it('welcomes everybody without limits', () => {
    const admission = createAdmission(options);
    for (let i = 0; i < 1000; i++) expect(admission.refuse()).toBeUndefined();
  });

  it('keeps the number of connections, and counts whom it refused for it', () => {
    let connections = 0;
    const admission = createAdmission({ ...options, connectionLimit: 2, connections: () => connections });
    connections = 2;
    expect(admission.refuse()).toMatch(/^503/);
    connections = 1;
    expect(admission.refuse()).toBeUndefined();
    expect(admission.refused()).toBe(1);
  });

  it('admits N a second, N at once', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const admission = createAdmission({ ...options, connectionRateLimit: 5 });
      const admitted = (tries: number) => {
        let count = 0;
        for (let i = 0; i < tries; i++) if (admission.refuse() === undefined) count++;
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

  it('refuses everybody while the node goes down', () => {
    const admission = createAdmission({ ...options, accepting: () => false });
    expect(admission.refuse()).toMatch(/^503/);
    expect(admission.refused()).toBe(0);
  });
});
