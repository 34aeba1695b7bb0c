/**
 * How many decimals a currency's sums have. The service counts in the minor units of ISO 4217; what browsers think of
 * HUF, COP or IDR differs from it and from browser to browser, so none is asked.
 */

/** List One of ISO 4217, as of 2026: what has other than two. Funds codes are among them, metals and tests have none. */
const DIGITS = new Map([
  ...["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"].map((code) => [code, 0]),
  ...["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map((code) => [code, 3]),
  ...["CLF", "UYW"].map((code) => [code, 4]),
]);
const USUAL = 2;

export const digitsOf = (currency) => DIGITS.get(currency) ?? USUAL;

/** A sum in minor units as a number of whole ones, `3000.5`. */
export const whole = (amount, currency) => amount / 10 ** digitsOf(currency);

/** A sum of whole units in minor ones. */
export const minor = (sum, currency) => Math.round(sum * 10 ** digitsOf(currency));

/** A sum in minor units as accounts write it, `3000.50`, in every language alike. */
export const decimal = (amount, currency) => whole(amount, currency).toFixed(digitsOf(currency));

/** The smallest sum, for the field it is typed in: `0.01`. */
export const step = (currency) => (10 ** -digitsOf(currency)).toFixed(digitsOf(currency));

/** A sum in the reader's way of writing: without decimals where it is whole, else with all of them. */
export function money(locale, amount, currency) {
  const digits = Number.isInteger(whole(amount, currency)) ? 0 : digitsOf(currency);
  const format = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, format).format(whole(amount, currency));
}
