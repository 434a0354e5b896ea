/**
 * Numbers as a language says them: with the form of the words that goes with them, and as spans of time.
 */

/** Says a number of things; the names of the forms are those of CLDR, `#` stands for the number. */
export function forms(language: string, words: Readonly<Record<string, string>>): (count: number) => string {
  return (count) => {
    const form = words[new Intl.PluralRules(language).select(count)] ?? words.other ?? "#";
    return form.replace("#", new Intl.NumberFormat(language).format(count));
  };
}

/** Says a span of seconds, as people say it. */
export function spans(language: string): (seconds: number) => string {
  const say = (count: number, unit: string) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.round(count));
  return (seconds) => {
    if (seconds < 90) return say(seconds, "second");
    if (seconds < 5400) return say(seconds / 60, "minute");
    if (seconds < 129_600) return say(seconds / 3600, "hour");
    return say(seconds / 86_400, "day");
  };
}
