import { timingSafeEqual } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { authorize } from './authorize.ts';
import { TestApi } from './testing/api.ts';

vi.mock('node:crypto', async (original) => {
  const crypto = await original<Record<string, unknown>>();
  return { ...crypto, timingSafeEqual: vi.fn<typeof timingSafeEqual>(crypto['timingSafeEqual'] as never) };
});

beforeEach(() => {
  vi.mocked(timingSafeEqual).mockClear();
});

const KEY = 'sesame+öffne';

function request(headers: Record<string, string>, query = '') {
  return { query, header: (name: string) => headers[name] ?? '' };
}

const queryOf = (key: string) => `a=1&api_key=${encodeURIComponent(key)}&b=2`;

describe('the key of a request', () => {
  const isAllowed = authorize({ key: KEY, insecure: false });

  it.each([
    ['in X-API-Key', { 'x-api-key': KEY }, ''],
    ['in Authorization', { authorization: `apikey ${KEY}` }, ''],
    ['in Authorization, shouted and spaced', { authorization: ` APIKey \t ${KEY} ` }, ''],
    ['in the query', {}, queryOf(KEY)],
    [
      'in the query, where the headers are wrong',
      { 'x-api-key': 'x', authorization: 'apikey x' },
      queryOf(KEY),
    ],
  ])('opens %s', (_, headers, query) => {
    expect(isAllowed(request(headers, query))).toBe(true);
  });

  it.each([
    ['nowhere', {}, ''],
    ['wrong', { 'x-api-key': 'x' }, ''],
    ['cut short', { 'x-api-key': KEY.slice(0, -1) }, ''],
    ['too long', { 'x-api-key': `${KEY} ` }, ''],
    ['wrong in X-API-Key, right in Authorization', { 'x-api-key': 'x', authorization: `apikey ${KEY}` }, ''],
    ['with another word', { authorization: `bearer ${KEY}` }, ''],
    ['without the word', { authorization: KEY }, ''],
    ['with a third field', { authorization: `apikey ${KEY} ${KEY}` }, ''],
    ['glued to the word', { authorization: `apikey${KEY}` }, ''],
    ['wrong in the query', {}, queryOf('x')],
    ['second in the query', {}, `api_key=x&${queryOf(KEY)}`],
    ['empty in the query', {}, 'api_key='],
  ])('does not open %s', (_, headers, query) => {
    expect(isAllowed(request(headers, query))).toBe(false);
  });

  it('without a key configured nobody comes in, unless everybody may', () => {
    const nobody = authorize({ key: '', insecure: false });
    expect(nobody(request({}))).toBe(false);
    expect(nobody(request({ 'x-api-key': '', authorization: 'apikey ' }, 'api_key='))).toBe(false);
    expect(authorize({ key: '', insecure: true })(request({}))).toBe(true);
    expect(authorize({ key: KEY, insecure: true })(request({ 'x-api-key': 'x' }))).toBe(true);
  });

  it('[S06] is compared by as many bytes, whatever is sent', () => {
    for (const given of ['x', KEY, KEY.slice(0, -1), 'x'.repeat(10_000)])
      isAllowed(request({ 'x-api-key': given }));
    const lengths = vi.mocked(timingSafeEqual).mock.calls.map(([a, b]) => [a.byteLength, b.byteLength]);
    expect(lengths).toEqual([128, 128, 128, 128].map((length) => [length, length]));
  });

  it('may be of any length, and every byte of it counts', () => {
    for (const length of [1, 125, 126, 127, 128, 500]) {
      const key = 'ä'.repeat(length >> 1) + 'x'.repeat(length & 1);
      const opens = authorize({ key, insecure: false });
      expect(opens(request({ 'x-api-key': key })), String(length)).toBe(true);
      for (const other of [`${key}x`, `${key}\0`, key.slice(0, -1), `${key.slice(0, -1)}y`]) {
        expect(opens(request({ 'x-api-key': other })), String(length)).toBe(false);
      }
    }
  });
});

it('[S06] [S18] neither key nor what was tried is in an answer or the log', async () => {
  const api = await TestApi.start({ key: KEY });
  const answers = [
    await api.post('/info', '{}', request({ 'x-api-key': 'canary' }, queryOf('canary'))),
    await api.post('', '{"method":"canary"}', request({ authorization: `apikey ${KEY}` })),
    await api.post('/rpc', '{"method":"canary"}', request({ 'x-api-key': KEY })),
    await api.post('/publish', '{"channel":"canary:a","data":"canary"}', request({}, queryOf(KEY))),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 400, 200, 200]);
  await api.close();
  // What the engines throw once they are closed is nobody's refusal.
  answers.push(
    await api.post('/broadcast', '{"channels":["kept:canary"],"data":"canary"}', request({}, queryOf(KEY))),
  );
  const shown =
    JSON.stringify(answers) + api.errors.map((fields) => Object.values(fields).join(' ')).join(' ');
  expect(shown).not.toMatch(/canary|sesame/);
});
