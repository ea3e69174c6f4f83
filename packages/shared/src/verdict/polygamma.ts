// Digamma and trigamma, the mean and variance of the logarithm of a chi-squared variance: what prior.ts needs.
// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 6.3.5, 6.3.18, 6.4.6, 6.4.12.

/** From here on the asymptotic series below are good to 1e-12. */
const asymptotic = 12;

/** ψ(x), the derivative of log Γ, for x > 0. */
export const digamma = (x: number): number => {
  let shift = 0;
  let at = x;
  for (; at < asymptotic; at += 1) shift -= 1 / at;
  const r = 1 / (at * at);
  const series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))));
  return shift + Math.log(at) - 1 / (2 * at) - series;
};

/** ψ'(x) for x > 0: falls from infinity to 0. */
export const trigamma = (x: number): number => {
  let shift = 0;
  let at = x;
  for (; at < asymptotic; at += 1) shift += 1 / (at * at);
  const r = 1 / (at * at);
  const series = 1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - (5 * r) / 66)));
  return shift + 1 / at + r / 2 + (r / at) * series;
};

/** The x > 0 with ψ'(x) = y, y > 0, to 1e-9 of itself: bisection of log x, for ψ' is monotone over all magnitudes. */
export const trigammaInverse = (y: number): number => {
  let low = -40;
  let high = 40;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (trigamma(Math.exp(middle)) > y) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
};
