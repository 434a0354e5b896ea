/**
 * A number with the form of the words that goes with it.
 */

/** Says a number of things in a language; the names of the forms are those of CLDR. */
export function forms(language: string, words: Readonly<Record<string, string>>): (count: number) => string {
  return (count) => {
    const form = words[new Intl.PluralRules(language).select(count)] ?? words.other;
    return `${new Intl.NumberFormat(language).format(count)} ${form}`;
  };
}
