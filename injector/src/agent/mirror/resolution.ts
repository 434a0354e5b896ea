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

function percent(amount: string, unit = ""): number {
  return Math.round((Number(amount) / (UNITS[unit.toLowerCase()] ?? 1)) * 100);
}

/** Each question for it in a media query, answered by `answer`. `ratio`: device pixels for one of CSS, in percent. */
export function answeredFor(ratio: number, query: string, answer: (holds: boolean) => string): string {
  return query.replace(
    FEATURE,
    (_whole, _webkit, bound: string, sign: string, amount: string, unit?: string) => {
      const asked = percent(amount, unit);
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
    options.sort((one, other) => one.scale - other.scale);
    const chosen = options.find(({ scale }) => scale >= ratio) ?? options.at(-1);
    out += `${value.slice(at, index)}${name}${chosen?.text.trim() ?? ""}`;
    at = end;
  }
  return out + value.slice(at);
}

/** One picture of a set, and for what resolution it is, in percent. */
type Option = { text: string; scale: number };

/** The options that begin at `from`, and where they end. */
function split(value: string, from: number): { options: Option[]; end: number } {
  const options: Option[] = [];
  let [depth, quote, start] = [0, "", from];
  // Without what is in quotes and brackets.
  let bare = "";
  for (let at = from; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === "\\") at++;
    else if (quote) quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "(") depth++;
    else if (depth === 0 && (char === "," || char === ")")) {
      options.push({ text: value.slice(start, at), scale: scaleOf(bare) });
      start = at + 1;
      bare = "";
      if (char === ")") return { options, end: at };
    } else if (char === ")") depth--;
    else if (depth === 0) bare += char;
  }
  return { options, end: value.length };
}

function scaleOf(bare: string): number {
  const [, amount, unit] = new RegExp(`(?:^|\\s)${AMOUNT}(?:\\s|$)`, "i").exec(bare) ?? [];
  return amount ? percent(amount, unit) : 100;
}
