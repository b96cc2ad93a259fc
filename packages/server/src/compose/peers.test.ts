import { expect, it } from 'vitest';
import { Peers } from './peers.ts';

function make() {
  const said: string[] = [];
  const peers = new Peers('own', {
    info: (message, fields) => said.push(`${message} ${JSON.stringify(fields)}`),
  });
  const node = (uid: string, name = uid) => ({ uid, name });
  const own = node('own', 'me');
  /** What is said of an answer. */
  const seen = (answers: { uid: string; name: string }[], missingNodes: string[] = []) => {
    peers.seen({ answers: [own, ...answers], missingNodes });
    return said.splice(0);
  };
  return { node, seen };
}

const joined = (node: string, uid = node) => `a node joined {"node":"${node}","uid":"${uid}"}`;
const gone = (node: string, uid = node) => `a node is gone {"node":"${node}","uid":"${uid}"}`;

it('says once of each other node that it joined, and that it is gone', () => {
  const { node, seen } = make();
  expect(seen([])).toEqual([]);
  expect(seen([node('a'), node('b')])).toEqual([joined('a'), joined('b')]);
  expect(seen([node('a'), node('b')])).toEqual([]);
  expect([seen([node('b')]), seen([node('b')]), seen([node('b')])]).toEqual([[], [gone('a')], []]);
  expect(seen([node('a')])).toEqual([joined('a')]);
});

it('says nothing of one that lives and does not answer, or was absent once', () => {
  const { node, seen } = make();
  seen([node('a')]);
  for (let i = 0; i < 3; i++) expect(seen([], ['a'])).toEqual([]);
  for (let i = 0; i < 3; i++) expect([seen([]), seen([node('a')])]).toEqual([[], []]);
});

it('tells one from another of the same name', () => {
  const { node, seen } = make();
  seen([node('1', 'a')]);
  expect(seen([node('2', 'a')])).toEqual([joined('a', '2')]);
  expect(seen([node('2', 'a')])).toEqual([gone('a', '1')]);
});
