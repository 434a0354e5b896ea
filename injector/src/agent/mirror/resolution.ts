/**
 * How many pixels the customer's screen has for one of the page: what style sheets make of it.
 *
 * Lengths of dots as in CSS Values 4, section 6.4; `-webkit-device-pixel-ratio` as in the Compatibility standard, section 4.1.
 */

/** How many of a unit are one pixel for one. */
const UNITS: Readonly<Record<string, number>> = { x: 1, dppx: 1, dpi: 96, dpcm: 96 / 2.54, "": 1 };

const AMOUNT = "([\\d.]+)(dppx|dpi|dpcm|x)?";
const FEATURE = new RegExp(
  `\\(\\s*(?:(?:(-webkit-)?(?:(min|max)-?-?(?:moz-)?)?(?:resolution|device-pixel-ratio)\\s*:\\s*)|resolution\\s*([<>]?=|[<>])\\s*)${AMOUNT}\\s*\\)`,
  "gi",
);

/** Each question for it in a media query, answered by `answer`. `ratio`: device pixels for one of CSS, in percent. */
export function answeredFor(ratio: number, query: string, answer: (holds: boolean) => string): string {
  return query.replace(
    FEATURE,
    (_whole, _webkit, bound: string, sign: string, amount: string, unit?: string) => {
      const asked = Math.round((Number(amount) / (UNITS[unit?.toLowerCase() ?? ""] ?? 1)) * 100);
      const more = bound?.toLowerCase() === "min" || sign?.startsWith(">");
      const less = bound?.toLowerCase() === "max" || sign?.startsWith("<");
      const equal = ratio === asked && !/^[<>]$/.test(sign ?? "");
      return answer(equal || (more && ratio > asked) || (less && ratio < asked));
    },
  );
}

/** A value whose every `image-set()` has left what the customer's browser takes of it. */
export function chosenFor(ratio: number, value: string): string {
  let out = "";
  let at = 0;
  for (const { index, 0: name } of value.matchAll(/(?:-webkit-)?image-set\(/gi)) {
    if (index < at) continue;
    const { options, end } = split(value, index + name.length);
    const scaled = options
      .map((option) => ({ option, scale: scale(option) }))
      .sort((one, other) => one.scale - other.scale);
    const chosen = scaled.find(({ scale }) => scale >= ratio) ?? scaled.at(-1);
    out += `${value.slice(at, index)}${name}${chosen?.option.trim() ?? ""}`;
    at = end;
  }
  return out + value.slice(at);
}

/** The options that begin at `from`, and where they end. */
function split(value: string, from: number): { options: string[]; end: number } {
  const options: string[] = [];
  let [depth, quote, start] = [0, "", from];
  for (let at = from; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === "\\") at++;
    else if (quote) quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "(") depth++;
    else if (depth === 0 && (char === "," || char === ")")) {
      options.push(value.slice(start, at));
      start = at + 1;
      if (char === ")") return { options, end: at };
    } else if (char === ")") depth--;
  }
  return { options, end: value.length };
}

/** For what resolution an option is, in percent. */
function scale(option: string): number {
  const bare = option.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, "").replace(/\([^)]*\)/g, "");
  const [, amount, unit] = new RegExp(`(?:^|\\s)${AMOUNT}(?:\\s|$)`, "i").exec(bare) ?? [];
  return amount ? Math.round((Number(amount) / (UNITS[unit?.toLowerCase() ?? ""] ?? 1)) * 100) : 100;
}
