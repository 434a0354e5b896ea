/**
 * Finds what was typed into withheld fields wherever else the page shows it: what this browser sends has bullets there.
 *
 * Values are kept as keyed hashes only, and found with a rolling hash for each length. The server does the same
 * (`src/policy/echo.rs`): both must find the same. Case and the separators of numbers make no difference.
 */

import type { Echo, Echoing, EchoKey } from "../protocol/words.ts";

/** Characters that count of the shortest value. */
const SHORTEST = 4;
/** Characters of the longest piece; a longer value is several pieces. */
const LONGEST = 64;
/** Pieces of one value. */
const PIECES = 64;
/** Pieces that are looked for at most. */
const MOST = 2000;
/** States of a field in which a page that lags behind may still show it. */
const LAG = 3;
/** Two primes below 2^26: products stay exact. */
const PRIMES = [67_108_859, 67_108_837] as const;
const BULLET = "•";
const SEPARATORS = new Set(" \t\n\r\f-./()+\u00a0\u2009\u202f");

/** A text with only what counts: code points, and where each stands. */
interface Reduced {
  readonly chars: number[];
  readonly from: number[];
  readonly to: number[];
}

/** What the part hands over. */
export type MakeFinder = () => Finder;

/** The values of one session. */
export class Finder {
  #key: EchoKey = { one: 0, two: 0 };
  /** Those of passwords, by length and hashes. */
  readonly #passwords = new Set<string>();
  /** What is settled, by length. */
  readonly #known = new Map<number, Set<string>>();
  /** What is being typed: the last states of each field. */
  readonly #live = new Map<Element, Echo[][]>();
  #count = 0;

  /** Takes what the server knows; what is known here already stays. Returns what a restarted server does not know. */
  set({ key, known }: Echoing): Echo[] {
    if (key.one !== this.#key.one || key.two !== this.#key.two) {
      this.#known.clear();
      this.#passwords.clear();
      this.#live.clear();
      this.#count = 0;
    }
    this.#key = key;
    const theirs = new Set(known.map(nameOf));
    const missing: Echo[] = [];
    for (const [length, hashes] of this.#known) {
      for (const name of hashes) {
        if (theirs.has(`${length},${name}`)) continue;
        const [one, two] = name.split(",").map(Number) as [number, number];
        missing.push({ length, one, two, password: this.#passwords.has(`${length},${name}`) });
      }
    }
    for (const echo of known) this.#add(echo);
    return missing;
  }

  /** Whether there is nothing to find. */
  get empty(): boolean {
    return this.#count === 0 && this.#live.size === 0;
  }

  /** Whether a password may have been typed. */
  get knowPasswords(): boolean {
    return this.#passwords.size > 0 || this.#live.size > 0;
  }

  /** Whether a value is a password that was typed: the whole of it, not only a part. */
  isPassword(value: string): boolean {
    if (!this.knowPasswords) return false;
    const pieces = this.pieces(value);
    const live = new Set(
      [...this.#live.values()]
        .flat(2)
        .filter(({ password }) => password)
        .map(nameOf),
    );
    const is = (piece: Echo) => this.#passwords.has(nameOf(piece)) || live.has(nameOf(piece));
    return pieces.length > 0 && pieces.every(is);
  }

  /** `field` holds this now, which may be a `password`. */
  typing(field: Element, value: string, password: boolean): void {
    const pieces = this.pieces(value, password);
    const states = this.#live.get(field) ?? [];
    if (pieces.length > 0) states.push(pieces);
    this.#live.set(field, states.slice(-LAG));
  }

  /** What was typed is complete, in one field or in all: returns what is new. */
  settle(field?: Element): Echo[] {
    const fresh: Echo[] = [];
    for (const [at, states] of field ? [[field, this.#live.get(field) ?? []] as const] : [...this.#live]) {
      for (const echo of states[states.length - 1] ?? []) if (this.#add(echo)) fresh.push(echo);
      this.#live.delete(at);
    }
    return fresh;
  }

  /** A value was typed and is complete: returns what is new. */
  complete(value: string, password: boolean): Echo[] {
    return this.pieces(value, password).filter((echo) => this.#add(echo));
  }

  /** The hashes of a value; none when it is too short to be a secret. */
  pieces(value: string, password = false): Echo[] {
    const { chars } = reduce(value, false);
    const out: Echo[] = [];
    if (chars.length < SHORTEST || !this.#key.one) return out;
    for (let start = 0; start < chars.length && out.length < PIECES; start += LONGEST) {
      const end = Math.min(start + LONGEST, chars.length);
      const piece = chars.slice(Math.max(0, Math.min(start, end - LONGEST)), end);
      out.push({
        length: piece.length,
        one: hash(piece, this.#key.one, PRIMES[0]),
        two: hash(piece, this.#key.two, PRIMES[1]),
        password,
      });
    }
    return out;
  }

  /** The text with bullets in place of every value that is in it. */
  hide(text: string): string {
    if (this.empty || text.length < SHORTEST) return text;
    const wanted = this.#wanted();
    const struck = new Set<number>();
    this.#strike(reduce(text, false), wanted, struck);
    if (text.includes("%")) this.#strike(reduce(text, true), wanted, struck);
    if (struck.size === 0) return text;
    let out = "";
    let at = 0;
    for (const char of text) {
      out += struck.has(at) && char.trim() ? BULLET : char;
      at += char.length;
    }
    return out;
  }

  #add(echo: Echo): boolean {
    const hashes = this.#known.get(echo.length) ?? new Set();
    const name = `${echo.one},${echo.two}`;
    const news = echo.password && !this.#passwords.has(nameOf(echo));
    if (this.#count >= MOST || (hashes.has(name) && !news)) return false;
    if (echo.password) this.#passwords.add(nameOf(echo));
    if (!hashes.has(name)) this.#count++;
    this.#known.set(echo.length, hashes.add(name));
    return true;
  }

  #wanted(): Map<number, Set<string>> {
    if (this.#live.size === 0) return this.#known;
    const all = new Map([...this.#known].map(([length, hashes]) => [length, new Set(hashes)] as const));
    for (const { length, one, two } of [...this.#live.values()].flat(2)) {
      all.set(length, (all.get(length) ?? new Set()).add(`${one},${two}`));
    }
    return all;
  }

  #strike({ chars, from, to }: Reduced, wanted: Map<number, Set<string>>, struck: Set<number>): void {
    const bases = [this.#key.one, this.#key.two] as const;
    for (const [length, hashes] of wanted) {
      if (chars.length < length) continue;
      const first = chars.slice(0, length);
      let one = hash(first, bases[0], PRIMES[0]);
      let two = hash(first, bases[1], PRIMES[1]);
      const tops = [power(bases[0], length - 1, PRIMES[0]), power(bases[1], length - 1, PRIMES[1])] as const;
      for (let start = 0; ; start++) {
        if (hashes.has(`${one},${two}`)) {
          const end = to[start + length - 1] ?? 0;
          for (let at = from[start] ?? 0; at < end; at++) struck.add(at);
        }
        const come = chars[start + length];
        if (come === undefined) break;
        const gone = chars[start] ?? 0;
        one = roll(one, gone, come, bases[0], tops[0], PRIMES[0]);
        two = roll(two, gone, come, bases[1], tops[1], PRIMES[1]);
      }
    }
  }
}

function nameOf({ length, one, two }: Echo): string {
  return `${length},${one},${two}`;
}

function hash(chars: readonly number[], base: number, prime: number): number {
  let out = 0;
  for (const char of chars) out = (out * base + char + 1) % prime;
  return out;
}

function power(base: number, exponent: number, prime: number): number {
  let out = 1;
  for (let i = 0; i < exponent; i++) out = (out * base) % prime;
  return out;
}

function roll(hash: number, gone: number, come: number, base: number, top: number, prime: number): number {
  return ((hash + prime - (((gone + 1) * top) % prime)) * base + come + 1) % prime;
}

function reduce(text: string, escaped: boolean): Reduced {
  const out: Reduced = { chars: [], from: [], to: [] };
  for (let at = 0; at < text.length; ) {
    let char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    let length = char.length;
    const run =
      escaped && char === "%" ? /^(?:%[0-9a-f]{2}){1,4}/i.exec(text.slice(at, at + 12))?.[0] : undefined;
    for (let end = 3; run && end <= run.length; end += 3) {
      try {
        char = decodeURIComponent(run.slice(0, end));
        length = end;
        break;
      } catch {
        // Not a whole character yet.
      }
    }
    if (!SEPARATORS.has(char)) {
      const point = char.codePointAt(0) ?? 0;
      out.chars.push(point >= 65 && point <= 90 ? point + 32 : point);
      out.from.push(at);
      out.to.push(at + length);
    }
    at += length;
  }
  return out;
}
