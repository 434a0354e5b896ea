/**
 * Which languages are written from right to left.
 */

const RIGHT_TO_LEFT = /^(ar|arc|ckb|dv|fa|he|ks|ku|ps|sd|ug|ur|yi)$/;

/** How a language is written. */
export function direction(name: string): "rtl" | "ltr" {
  return RIGHT_TO_LEFT.test(name) ? "rtl" : "ltr";
}
