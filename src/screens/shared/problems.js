/** Every refusal and failure in the reader's words. */

import { known, t } from "./words.js";

/** A refusal code in words, with the instant from which it will be possible. */
export function codeWords(fmt, code, until) {
  if (until && known(`code.${code}.until`)) return t(`code.${code}.until`, { until: fmt.moment(until) });
  return known(`code.${code}`) ? t(`code.${code}`) : t("code.internal");
}

/** What went wrong, in words; of values that are not allowed, which. */
export function problemWords(fmt, problem) {
  const words = codeWords(fmt, problem.code ?? "internal", problem.until);
  if (problem.code !== "invalid" || !problem.errors?.length) return words;
  const which = problem.errors.map(({ pointer, detail }) => `${pointer.slice(1).replaceAll("/", ".")} ${detail}`.trim());
  return `${words} (${which.join("; ")})`;
}
