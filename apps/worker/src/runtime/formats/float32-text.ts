// A decimal number as the nearest float32, as C's strtof has it. Math.fround(Number(text)) rounds twice, and is wrong by one unit
// where the nearest double lies exactly between two floats and the number itself does not.

const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const bits = new DataView(new ArrayBuffer(8));

/** Sign of `text` minus `double`, both positive, exactly. */
const compare = (digits: string, exponent: number, double: number): number => {
  bits.setFloat64(0, double);
  const raw = bits.getBigUint64(0);
  let left = BigInt(digits);
  let right = (raw & 0xfffffffffffffn) | 0x10000000000000n;
  const power = Number((raw >> 52n) & 0x7ffn) - 1075;
  if (exponent > 0) left *= 10n ** BigInt(exponent);
  else right *= 10n ** BigInt(-exponent);
  if (power > 0) right <<= BigInt(power);
  else left <<= BigInt(-power);
  return left > right ? 1 : left < right ? -1 : 0;
};

/** Null where the text is no decimal number, or none that a float32 holds. */
export const parseFloat32 = (text: string): number | null => {
  const match = form.exec(text);
  if (!match) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole + fraction === '') return null;
  const double = Math.abs(Number(text));
  const float = Math.fround(double);
  if (!Number.isFinite(float)) return null;
  let nearest = float;
  bits.setFloat64(0, double);
  // Halfway between two normal floats: the lower 29 of the 52 bits are 1000….
  if (double >= 2 ** -126 && (bits.getUint32(4) & 0x1fffffff) === 0x10000000) {
    const side = compare(whole + fraction, Number(exponent) - fraction.length, double);
    const step = 2 ** (Math.floor(Math.log2(double)) - 24);
    if (side !== 0) nearest = Math.fround(double + side * step);
  }
  return sign === '-' ? -nearest : nearest;
};
