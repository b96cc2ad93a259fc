/** Patterns longer than this are refused, so that the work for one name stays bounded. Characters. */
const maxPattern = 256;

/**
 * One step of a compiled pattern. Steps that take a character go on to the next step. All have the same fields, so
 * that the loop over them stays fast.
 */
interface Step {
  /**
   * What it takes: one certain `character`, `any` one, one of a `class`; a `run` takes any and stays or takes none and
   * goes on; `nothing` goes on at each of `targets`.
   */
  readonly takes: 'character' | 'any' | 'class' | 'run' | 'nothing' | 'end';
  readonly character: number;
  readonly negated: boolean;
  readonly ranges: readonly Range[];
  /** A run outside of all braces: every match passes it. */
  readonly outside: boolean;
  readonly targets: readonly number[];
}

type Range = readonly [first: number, last: number];

const end: Step = { takes: 'end', character: 0, negated: false, ranges: [], outside: false, targets: [] };

/**
 * Compiles a glob, which has to match the whole of a name:
 * `*` any run of characters, separators and none at all included; `?` one character; `[abc]`, `[a-z]` one of these,
 * `[!a-z]` one that is not; `{a,b}` one of the alternatives, which may hold any of this and may be empty; a backslash
 * takes the special meaning from the next character. A comma outside braces and everything else means itself.
 *
 * Matching a name costs at most the product of both lengths, whatever the pattern: all ways to match are followed at
 * once, a character at a time, and none is tried twice.
 *
 * @returns whether a name matches; may be called for any number of names
 * @throws SyntaxError for brackets or braces without a partner, an empty class, a range that runs backwards, a
 *   backslash at the end, and more than 256 characters
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  // A character is one or two units: no need to count those of a huge string.
  const characters = pattern.length > 2 * maxPattern ? undefined : Array.from(pattern);
  if (characters === undefined || characters.length > maxPattern) {
    throw new SyntaxError(`glob: longer than ${maxPattern} characters`);
  }
  return matcher(new Parser(characters).parse());
}

class Parser {
  readonly #characters: readonly string[];
  readonly #steps: Step[] = [];
  #at = 0;

  constructor(characters: readonly string[]) {
    this.#characters = characters;
  }

  parse(): readonly Step[] {
    this.#sequence(false);
    this.#steps.push(end);
    return this.#steps;
  }

  /** Reads up to the end, or with `inBraces` up to the comma or brace that ends an alternative. */
  #sequence(inBraces: boolean): void {
    for (; this.#at < this.#characters.length; this.#at++) {
      const character = this.#characters[this.#at] ?? '';
      if (inBraces && (character === ',' || character === '}')) return;
      switch (character) {
        case '*':
          this.#steps.push({ ...end, takes: 'run', outside: !inBraces });
          break;
        case '?':
          this.#steps.push({ ...end, takes: 'any' });
          break;
        case '[':
          this.#class();
          break;
        case '{':
          this.#alternatives();
          break;
        case ']':
        case '}':
          throw new SyntaxError(`glob: ${character} without a partner`);
        default:
          this.#steps.push({ ...end, takes: 'character', character: this.#literal() });
      }
    }
  }

  /** Stands at the brace that opens, ends at the one that closes. */
  #alternatives(): void {
    const starts: number[] = [];
    const ends: number[] = [];
    this.#steps.push({ ...end, takes: 'nothing', targets: starts });
    do {
      this.#at++;
      starts.push(this.#steps.length);
      this.#sequence(true);
      ends.push(this.#steps.push(end) - 1);
    } while (this.#characters[this.#at] === ',');
    if (this.#characters[this.#at] !== '}') throw new SyntaxError('glob: { without a partner');
    const join: Step = { ...end, takes: 'nothing', targets: [this.#steps.length] };
    for (const at of ends) this.#steps[at] = join;
  }

  /** Stands at the bracket that opens, ends at the one that closes. */
  #class(): void {
    const ranges: Range[] = [];
    const negated = this.#characters[this.#at + 1] === '!';
    if (negated) this.#at++;
    for (this.#at++; this.#characters[this.#at] !== ']'; this.#at++) {
      const first = this.#classMember();
      let last = first;
      // A hyphen before the closing bracket is a member itself.
      if (this.#characters[this.#at + 1] === '-' && this.#characters[this.#at + 2] !== ']') {
        this.#at += 2;
        last = this.#classMember();
        if (last < first) throw new SyntaxError('glob: a range runs backwards');
      }
      ranges.push([first, last]);
    }
    if (ranges.length === 0) throw new SyntaxError('glob: empty class');
    this.#steps.push({ ...end, takes: 'class', negated, ranges });
  }

  #classMember(): number {
    if (this.#at >= this.#characters.length) throw new SyntaxError('glob: [ without a partner');
    return this.#literal();
  }

  /** The code point at hand, or the one after a backslash. */
  #literal(): number {
    if (this.#characters[this.#at] === '\\') this.#at++;
    const point = this.#characters[this.#at]?.codePointAt(0);
    if (point === undefined) throw new SyntaxError('glob: a backslash at the end');
    return point;
  }
}

function takes(step: Step, point: number): boolean {
  switch (step.takes) {
    case 'character':
      return step.character === point;
    case 'class':
      return step.ranges.some(([first, last]) => first <= point && point <= last) !== step.negated;
    case 'any':
    case 'run':
      return true;
    case 'nothing':
    case 'end':
      return false;
  }
}

function matcher(steps: readonly Step[]): (name: string) => boolean {
  const last = steps.length - 1;
  // The steps that the characters read so far lead to. Both lists are reused, for one name after another.
  let here: number[] = [];
  let next: number[] = [];
  // For each step the round in which it was last reached: a step joins a list once.
  const reached = new Float64Array(steps.length);
  let round = 0;
  // The last run outside of braces that was reached. It can take whatever an earlier step would take before coming
  // here as well, so earlier steps are given up: that leaves few of them alive in most patterns.
  let run = -1;

  const reach = (list: number[], at: number): void => {
    if (reached[at] === round) return;
    reached[at] = round;
    const step = steps[at];
    if (step === undefined) return;
    if (step.takes === 'nothing') {
      for (const target of step.targets) reach(list, target);
      return;
    }
    list.push(at);
    if (step.takes !== 'run') return;
    if (step.outside && at > run) run = at;
    reach(list, at + 1);
  };

  return (name) => {
    here.length = 0;
    round++;
    run = -1;
    reach(here, 0);
    for (let i = 0; i < name.length && here.length > 0; i++) {
      if (run >= 0 && run === last - 1) return true;
      const point = name.codePointAt(i) ?? 0;
      if (point > 0xffff) i++;
      next.length = 0;
      round++;
      for (const at of here) {
        const step = steps[at];
        if (step === undefined || at < run || !takes(step, point)) continue;
        reach(next, step.takes === 'run' ? at : at + 1);
      }
      [here, next] = [next, here];
    }
    return here.includes(last);
  };
}
