import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpHead } from './http.ts';
import { TestApi } from './testing/api.ts';

let api: TestApi;
afterEach(() => api.close());

const badRequest = { status: 400, contentType: 'text/plain; charset=utf-8', body: 'Bad Request\n' };
const notFound = { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' };
const ok = (body: unknown) => ({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });
const failed = (code: number, message: string) => ({ error: { code, message } });

const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('the head of a request', () => {
  it.each(['/nosuch', '/publish/', '/', '/__proto__', '/toString', '/connections', 'publish', '/PUBLISH'])(
    'path %s is unknown, whatever the verb and the key',
    async (path) => {
      api = await TestApi.start();
      expect(await api.post(path, '{}')).toEqual(notFound);
      expect(await api.post(path, '{}', { method: 'GET', header: () => '' })).toEqual(notFound);
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    '%s is refused before the key is looked at',
    async (method) => {
      api = await TestApi.start();
      for (const path of ['', '/info']) {
        expect(await api.post(path, '{}', { method, header: () => '' })).toEqual({ status: 405, body: '' });
      }
    },
  );

  it('a wrong key is refused without the body', async () => {
    api = await TestApi.start();
    const head: HttpHead = { method: 'POST', path: '/info', query: '', header: () => 'wrong' };
    expect(api.http.open(head)).toEqual({ status: 401, body: '' });
    expect(api.http.open({ ...head, path: '' })).toEqual({ status: 401, body: '' });
  });

  it('an insecure one needs no key', async () => {
    api = await TestApi.start({ key: '', insecure: true });
    expect(await api.post('/channels', '{}', { header: () => '' })).toEqual(ok({ result: { channels: {} } }));
  });
});

describe('bodies that are refused whole', () => {
  const hostile: [string, string | Uint8Array][] = [
    ['nothing', ''],
    ['white space', ' \n'],
    ['cut short', '{"channel":"a","data":{"x":1}'],
    ['cut short in a string', '{"channel":"a","data":"x'],
    ['an array', '[]'],
    ['a string', '"publish"'],
    ['a number', '1'],
    ['text behind it', '{"channel":"a","data":1} x'],
    ['a closing brace behind it', '{"channel":"a","data":1}}'],
    ['too deep', `{"channel":"a","data":${nest(64)}}`],
    ['so deep that a stack would end', `{"channel":"a","data":${nest(100_000)}}`],
    ['invalid UTF-8', Buffer.from('{"channel":"a","data":"\xff"}', 'latin1')],
    [
      'invalid UTF-8 in a field that nobody knows',
      Buffer.from('{"x":"\xc3","channel":"a","data":1}', 'latin1'),
    ],
    ['a byte order mark', '\ufeff{"channel":"a","data":1}'],
    ['single quotes', "{'channel':'a'}"],
    ['a comma too many', '{"channel":"a","data":1,}'],
    ['a comment', '{"channel":"a",/**/"data":1}'],
    ['a bad number in the data', '{"channel":"a","data":01}'],
    ['a raw newline in a string', '{"channel":"a","data":"\n"}'],
    ['a bad escape', '{"channel":"a","data":"\\x"}'],
    ['another word than null', 'nope'],
  ];

  it.each(hostile)('%s, by path', async (_, body) => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    expect(await api.post('/publish', body)).toEqual(badRequest);
    expect(api.delivered).toEqual([]);
  });

  // White space behind a command is no mistake.
  const behind = hostile.filter(([what]) => !['nothing', 'white space'].includes(what));
  // Parameters of another type are the mistake of one command.
  const inside = hostile.filter(([what]) => !['an array', 'a string', 'a number'].includes(what));
  const good = '{"method":"publish","params":{"channel":"a","data":1}}';

  it.each(behind)('%s, behind a command', async (_, body) => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    expect(await api.post('', body)).toEqual(badRequest);
    expect(await api.post('', Buffer.concat([Buffer.from(good), Buffer.from(body)]))).toEqual(badRequest);
    expect(api.delivered).toEqual([]);
  });

  it.each(inside)('%s, for parameters of a second command', async (_, body) => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    const parts = [`${good}{"method":"publish","params":`, body, '}'].map((part) => Buffer.from(part));
    expect(await api.post('', Buffer.concat(parts))).toEqual(badRequest);
    expect(api.delivered).toEqual([]);
  });

  it('data as deep as allowed is taken', async () => {
    api = await TestApi.start();
    expect(await api.post('/publish', `{"channel":"a","data":${nest(63)}}`)).toEqual(ok({ result: {} }));
  });

  it('null is a request with nothing in it', async () => {
    api = await TestApi.start();
    expect(await api.post('/publish', 'null')).toEqual(ok(failed(107, 'bad request')));
    expect(await api.post('/channels', ' null ')).toEqual(ok({ result: { channels: {} } }));
    expect(await api.post('', 'null')).toEqual(ok(failed(107, 'bad request')));
  });
});

describe('the {method, params} style', () => {
  it('answers each command in its line and in order, with its id', async () => {
    api = await TestApi.start();
    const { status, contentType, body } = await api.post(
      '',
      `{"id":7,"method":"publish","params":{"channel":"kept:a","data":1}}
       {"method":"history","params":{"channel":"kept:a","limit":1},"id":0}{"id":4294967295,"method":"rpc","params":{}}
       {"params":{"channel":"a"},"METHOD":"presence_stats","ID":2}\n\n`,
    );
    expect([status, contentType]).toEqual([200, 'application/json']);
    const lines = body.split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id?: number }).id)).toEqual([
      7,
      undefined,
      4294967295,
      2,
    ]);
    expect(lines[0]).toMatch(/^\{"id":7,"result":\{"offset":1,"epoch":"[A-Za-z]{8}"\}\}$/);
    expect(lines[1]).toMatch(
      /^\{"result":\{"publications":\[\{"data":1,"offset":1\}\],"epoch":"[A-Za-z]{8}","offset":1\}\}$/,
    );
    expect(lines.slice(2)).toEqual([
      '{"id":4294967295,"error":{"code":107,"message":"bad request"}}',
      '{"id":2,"error":{"code":108,"message":"not available"}}',
    ]);
  });

  it.each(['"publish"', '"PUBLISH"', '"Publish"', '0', 'null'])('method %s is publish', async (method) => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    const body = `{"method":${method},"params":{"channel":"a","data":1}}`;
    expect(await api.post('', body)).toEqual(ok({ result: {} }));
    expect(api.delivered).toHaveLength(1);
  });

  it('a missing method is publish', async () => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    expect(await api.post('', '{"params":{"channel":"a","data":1}}')).toEqual(ok({ result: {} }));
    expect(api.delivered).toHaveLength(1);
  });

  it.each([
    [1, 'broadcast', '{"channels":["a"],"data":1}', { responses: [{ result: {} }] }],
    [2, 'unsubscribe', '{"channel":"a"}', {}],
    [3, 'disconnect', '{"user":"u"}', {}],
    [4, 'presence', '{"channel":"seen:a"}', { presence: {} }],
    [5, 'presence_stats', '{"channel":"seen:a"}', { num_clients: 0, num_users: 0 }],
    [7, 'history_remove', '{"channel":"kept:a"}', {}],
    [8, 'channels', '{}', { channels: {} }],
    [11, 'subscribe', '{"channel":"a"}', {}],
    [12, 'refresh', '{"user":"u"}', {}],
  ])('method %i is %s', async (number, name, params, result) => {
    api = await TestApi.start();
    for (const method of [number, `"${name}"`]) {
      expect(await api.post('', `{"method":${method},"params":${params}}`)).toEqual(ok({ result }));
    }
  });

  it.each([
    [6, 'history'],
    [9, 'info'],
    [10, 'rpc'],
  ])('method %i is %s', async (number, name) => {
    api = await TestApi.start();
    const params = '{"channel":"kept:a","method":"x"}';
    expect(await api.post('', `{"method":${number},"params":${params}}`)).toEqual(
      await api.post('', `{"method":"${name}","params":${params}}`),
    );
  });

  const unserved = `connections update_user_status get_user_status delete_user_status block_user unblock_user
    revoke_token invalidate_user_tokens device_register device_update device_remove device_list device_topic_list
    device_topic_update user_topic_list user_topic_update send_push_notification update_push_status cancel_push
    map_publish map_remove map_read_state map_read_stream map_stats map_clear SHARED_POLL_PUBLISH`;

  it.each(['13', '14', '39', '40', '-1', ...unserved.split(/\s+/).map((name) => `"${name}"`)])(
    'method %s is known or numbered, yet not served',
    async (method) => {
      api = await TestApi.start();
      expect(await api.post('', `{"id":1,"method":${method},"params":{}}`)).toEqual(
        ok({ id: 1, ...failed(104, 'not found') }),
      );
    },
  );

  it.each(['"nosuch"', '""', '"-"', '"batch"', '"0"', 'true', '[]', '1.5'])(
    'method %s refuses the whole body, and none of it runs',
    async (method) => {
      api = await TestApi.start();
      await api.broker.subscribe('a');
      const good = '{"method":"publish","params":{"channel":"a","data":1}}';
      expect(await api.post('', `${good}\n{"method":${method},"params":{}}`)).toEqual(badRequest);
      expect(api.delivered).toEqual([]);
    },
  );

  it.each(['"1"', '-1', '4294967296', '1.0', '{}'])('id %s refuses the whole body', async (id) => {
    api = await TestApi.start();
    expect(await api.post('', `{"id":${id},"method":"info"}`)).toEqual(badRequest);
  });

  it('a command whose parameters are wrong or missing is refused alone', async () => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    const commands = [
      '{"method":"publish","params":{"channel":1,"data":1}}',
      '{"method":"publish","params":[]}',
      '{"method":"publish"}',
      '{"method":"channels"}',
      '{"method":"publish","params":{"channel":"a","data":1}}',
    ];
    const { body } = await api.post('', commands.join('\n'));
    const refused = JSON.stringify(failed(107, 'bad request'));
    expect(body.split('\n')).toEqual([refused, refused, refused, refused, '{"result":{}}']);
    expect(api.delivered).toHaveLength(1);
  });

  it('info looks at no parameters', async () => {
    api = await TestApi.start();
    const { body } = await api.post('', '{"method":"info"}{"method":"info","params":[1]}');
    const [first, second] = body.split('\n');
    expect(first).toContain('"nodes":[{');
    expect(second).toBe(first);
  });

  it('errors inside a broadcast have its text for 102 too', async () => {
    api = await TestApi.start();
    const params = '{"channels":["unknown:a"],"data":1}';
    expect(await api.post('', `{"method":"broadcast","params":${params}}`)).toEqual(
      ok({ result: { responses: [failed(102, 'namespace not found')] } }),
    );
    expect(await api.post('/broadcast', params)).toEqual(
      ok({ result: { responses: [failed(102, 'unknown channel')] } }),
    );
  });

  it('runs commands in the order they stand in', async () => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    const numbers = Array.from({ length: 600 }, (_, index) => String(index));
    const body = numbers
      .map((n) => `{"id":${n},"method":"publish","params":{"channel":"a","data":${n}}}`)
      .join('');
    expect((await api.post('', body)).body.split('\n')).toHaveLength(600);
    expect(api.delivered.map(({ publication }) => Buffer.from(publication.data).toString())).toEqual(numbers);
  });

  it('white space in stored data cannot break the lines of the answers', async () => {
    api = await TestApi.start();
    const data = '{\r\n"a":\n1.50,\t"b": "\\n"\n}';
    await api.post('/publish', `{"channel":"kept:a","data":${data}}`);
    const { body } = await api.post(
      '',
      '{"method":"history","params":{"channel":"kept:a","limit":1}}{"method":"rpc","params":{}}',
    );
    const lines = body.split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('"data":{"a":1.50,\t"b": "\\n"}');
  });
});

describe('errors as statuses', () => {
  const byHeader = (name: string) =>
    name === 'x-centrifugo-error-mode' ? 'transport' : 'a key that nobody guesses';
  const cases: [string, string, number, number, string][] = [
    ['/publish', '{"channel":"unknown:a","data":1}', 404, 102, 'unknown channel'],
    ['/rpc', '{"method":"x"}', 404, 104, 'not found'],
    ['/publish', '{}', 400, 107, 'bad request'],
    ['/presence', '{"channel":"a"}', 400, 108, 'not available'],
    ['/history', '{"channel":"kept:a","since":{"epoch":"x"}}', 416, 112, 'unrecoverable position'],
  ];

  it.each(cases)('%s %s is %i', async (path, body, status, code, message) => {
    const mapped = { status, contentType: 'application/json', body: JSON.stringify({ code, message }) };
    api = await TestApi.start();
    expect(await api.post(path, body, { header: byHeader })).toEqual(mapped);
    expect(await api.post(path, body)).toEqual(ok(failed(code, message)));
    await api.close();
    api = await TestApi.start({ errorMode: 'transport' });
    expect(await api.post(path, body)).toEqual(mapped);
  });

  it('what nobody knows is 500', async () => {
    api = await TestApi.start({ errorMode: 'transport' });
    await api.broker.close();
    const { status, body } = await api.post('/publish', '{"channel":"kept:a","data":1}');
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ code: 100 });
  });

  it('results, batches, broadcasts and the {method, params} style stay as they are', async () => {
    api = await TestApi.start({ errorMode: 'transport' });
    const bad = '{"channel":"unknown:a","data":1}';
    expect(await api.post('/channels', '{}')).toEqual(ok({ result: { channels: {} } }));
    expect(await api.post('/batch', `{"commands":[{"publish":${bad}}]}`)).toEqual(
      ok({ replies: [failed(102, 'unknown channel')] }),
    );
    expect(await api.post('/broadcast', '{"channels":["unknown:a"],"data":1}')).toEqual(
      ok({ result: { responses: [failed(102, 'unknown channel')] } }),
    );
    expect(await api.post('', `{"params":${bad}}`)).toEqual(ok(failed(102, 'namespace not found')));
  });
});

describe('payloads', () => {
  const white = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
  /** JSON texts with white space around and numbers in spellings that no printer would choose. */
  const texts = fc
    .tuple(
      white,
      fc.oneof(fc.json(), fc.constantFrom('1.50', '-0', '1E+2', '12345678901234567890', '"\\u00e9\\/"')),
      white,
    )
    .map((parts) => parts.join(''));

  it('come back as they were sent, but for line breaks', async () => {
    api = await TestApi.start();
    await api.broker.subscribe('kept:a');
    await fc.assert(
      fc.asyncProperty(texts, async (data) => {
        api.delivered.length = 0;
        await api.post('/publish', `{"channel":"kept:a","data":${data}}`);
        expect(Buffer.from(api.delivered[0]?.publication.data ?? '').toString()).toBe(data.trim());
        const { body } = await api.post('/history', '{"channel":"kept:a","limit":1,"reverse":true}');
        expect(body).toContain(`[{"data":${data.trim().replace(/[\r\n]/g, '')},"offset":`);
      }),
    );
  });

  it('are not held by the body they came in', async () => {
    api = await TestApi.start();
    await api.broker.subscribe('a');
    for (const path of ['/publish', '/batch', '']) {
      const params = '{"channel":"a","data":"payload"}';
      const bodies = {
        '/publish': params,
        '/batch': `{"commands":[{"publish":${params}}]}`,
        '': `{"params":${params}}`,
      };
      const call = api.http.open({
        method: 'POST',
        path,
        query: 'api_key=a+key+that+nobody+guesses',
        header: () => '',
      });
      if (typeof call !== 'function') throw new Error('refused');
      // Memory of its own, as a listener's is.
      const body = Buffer.from(new TextEncoder().encode(bodies[path as keyof typeof bodies]).buffer);
      const answer = call(body);
      body.fill(0);
      await answer;
      const { data } = api.delivered.pop()!.publication;
      expect(Buffer.from(data).toString()).toBe('"payload"');
      expect(data.buffer).not.toBe(body.buffer);
    }
  });
});
