import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { spec } from './spec.ts';

test('rules and citations are compared', () => {
  const root = mkdtempSync(join(tmpdir(), 'gyre-spec-'));
  const files = {
    'proto/SPEC.md':
      '- **AAA1** One.\n- **AAA2** Two, see AAA1.\n- **BBB1** Three.\n- **BBB1** Again.\n- **BBB2** Four.\n',
    'packages/x/src/a.test.ts': "it('[AAA1][BBB1] does', () => table[AAA9]);\nit(`[CCC1] does not`);\n",
    'test/y/b.test.ts': "const rows = [['[AAA2] as a column', 1]];\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  expect(spec(root)).toEqual({
    rules: ['AAA1', 'AAA2', 'BBB1', 'BBB1', 'BBB2'],
    untested: ['BBB2'],
    doubled: ['BBB1'],
    unknown: ['CCC1 packages/x/src/a.test.ts:2'],
  });
  rmSync(root, { recursive: true });
});
