import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { opcodes } from '../harness/frames.ts';

/** A frame, right or wrong: nothing of it has to fit the rest. */
interface RawFrame {
  readonly final: boolean;
  /** The three reserved bits. */
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** The length that it tells. */
  readonly declared: bigint;
  /** In how many bytes it is told: as short as may be, or longer. */
  readonly form: 1 | 2 | 8;
  readonly payload: Buffer;
}

function bytesOf(frame: RawFrame, mask: Buffer): Buffer {
  const { form, declared } = frame;
  const head = Buffer.alloc(form === 1 ? 2 : 2 + form);
  head[0] = (frame.final ? 0x80 : 0) | (frame.reserved << 4) | frame.opcode;
  head[1] = (frame.masked ? 0x80 : 0) | (form === 1 ? Number(declared & 0x7fn) : form === 2 ? 126 : 127);
  if (form === 2) head.writeUInt16BE(Number(declared & 0xffffn), 2);
  if (form === 8) head.writeBigUInt64BE(declared, 2);
  if (!frame.masked) return Buffer.concat([head, frame.payload]);
  return Buffer.concat([head, mask, frame.payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

const formFor = (length: number): 1 | 2 | 8 => (length < 126 ? 1 : length < 65_536 ? 2 : 8);

/** Lengths that are about what a limit, a sign or a word holds. */
const hugeLengths = [
  65_536n,
  65_537n,
  132_096n,
  132_097n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

const brokenText = [
  [0xff],
  [0x80],
  [0xc0, 0xaf],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d],
].map((bytes) => Buffer.from(bytes));

const closePayloads = [
  Buffer.alloc(0),
  Buffer.from([0x03]),
  ...[0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65_535].map((code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    return payload;
  }),
  Buffer.from([0x03, 0xe8, 0xff, 0xfe]),
  Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.alloc(123, 'x')]),
];

function payload(random: Random): Buffer {
  switch (random.int(5)) {
    case 0:
      return Buffer.alloc(0);
    case 1:
      return random.bytes(random.int(300));
    case 2:
      return Buffer.from(random.text());
    case 3:
      return random.pick(brokenText);
    default:
      return Buffer.alloc(random.pick([125, 126, 127, 65_535, 65_536, 65_537]), 'x');
  }
}

function regular(opcode: number, data: Buffer): RawFrame {
  const declared = BigInt(data.length);
  return {
    final: true,
    reserved: 0,
    opcode,
    masked: true,
    declared,
    form: formFor(data.length),
    payload: data,
  };
}

/** A message in pieces, at times with something between or in a wrong order. */
function pieces(random: Random): RawFrame[] {
  const data = payload(random);
  const cut = random.int(data.length + 1);
  const first = regular(random.pick([opcodes.text, opcodes.binary]), data.subarray(0, cut));
  const frames = [
    { ...first, final: false },
    ...(random.oneIn(2) ? [regular(random.pick([opcodes.ping, opcodes.pong]), Buffer.from('between'))] : []),
    ...(random.oneIn(5) ? [regular(opcodes.text, Buffer.from('{}'))] : []),
    { ...regular(opcodes.continuation, data.subarray(cut)), final: !random.oneIn(5) },
  ];
  return random.oneIn(6) ? frames.toReversed() : frames;
}

/** Frames of a kind, in bytes. */
export interface RawFrames {
  readonly bytes: Buffer;
  /** A close frame is among them. */
  readonly closes: boolean;
  /** None promises more or fewer bytes than it has, or hides them badly: what follows is a frame again. */
  readonly whole: boolean;
}

export function rawFrames(random: Random): RawFrames {
  const frames = someFrames(random);
  const mask = random.oneIn(4) ? Buffer.alloc(4) : random.bytes(4);
  return {
    bytes: Buffer.concat(frames.map((frame) => bytesOf(frame, mask))),
    closes: frames.some(({ opcode }) => opcode === opcodes.close),
    whole: frames.every(({ declared, masked, payload: data }) => masked && declared === BigInt(data.length)),
  };
}

function someFrames(random: Random): RawFrame[] {
  const data = payload(random);
  const opcode = random.pick([opcodes.text, opcodes.binary]);
  const frame = regular(opcode, data);
  const control = regular(random.pick([opcodes.ping, opcodes.pong]), data.subarray(0, 125));
  switch (random.int(11)) {
    case 0:
      return [frame];
    case 1:
      return [control];
    case 2:
      return [{ ...frame, opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }];
    case 3:
      return [{ ...frame, reserved: 1 + random.int(7) }];
    case 4:
      return [{ ...frame, masked: false }];
    case 5:
      return pieces(random);
    case 6:
      // Control frames must be whole and short.
      return [
        {
          ...control,
          payload: data,
          declared: BigInt(data.length),
          form: formFor(data.length),
          final: random.oneIn(2),
        },
      ];
    case 7:
      return [{ ...frame, form: data.length < 65_536 ? random.pick([2, 8]) : 8 }];
    case 8:
      return [{ ...frame, form: 8, declared: random.pick(hugeLengths) }];
    case 9:
      return [{ ...frame, declared: BigInt(Math.max(0, data.length + random.int(20) - 10)) }];
    default:
      return [regular(opcodes.close, random.pick(closePayloads))];
  }
}
