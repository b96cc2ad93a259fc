/** A decimal number in a form that can be compared without loss: digits only, no zeros at either end. */
export interface Decimal {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

const decimal = /^([+-]?)0*(\d+)(?:\.(\d+))?$/;

/** Reads digits with an optional sign and fraction, such as `-12.50`; undefined for any other text. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimal.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = '', decimals = ''] = match;
  const whole = digits === '0' ? '' : digits;
  const fraction = withoutTrailingZeros(decimals);
  return { negative: sign === '-' && (whole !== '' || fraction !== ''), whole, fraction };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. Exact for any number of digits. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const order =
    a.whole.length - b.whole.length || compareText(a.whole, b.whole) || compareText(a.fraction, b.fraction);
  return a.negative ? -order : order;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
