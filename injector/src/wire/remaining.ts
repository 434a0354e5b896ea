/** Writes the time that is left as minutes and seconds, `4:05`, with the digits of a language. */

export function remaining(milliseconds: number, language: string): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const digits = (number: number, least: number): string =>
    new Intl.NumberFormat(language, { minimumIntegerDigits: least, useGrouping: false }).format(number);
  return `${digits(Math.floor(seconds / 60), 1)}:${digits(seconds % 60, 2)}`;
}
