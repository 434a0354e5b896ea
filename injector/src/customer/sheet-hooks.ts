/**
 * What scripts do to style rules, and no event or attribute tells.
 *
 * A hook only says where to look. What can not be read back (fonts that a script made, registered properties) is kept
 * as it was given.
 */

import { keptIn } from "../loader/kept.ts";
import type { MakeSheets } from "../sheets/sheets.ts";
import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import type { Realm } from "./realms.ts";

/**
 * What may have changed: the rules of a sheet; what it holds for, or whether it holds at all; a rule whose declarations a script
 * has got hold of, so that it can change them at any time; the fonts and properties of a document.
 */
export type Restyled = "rules" | "media" | "rule" | "extras";

/** Told what to look at. */
export type Restyle = (how: Restyled, what: object) => void;

/** What scripts have made that is in no sheet. */
export class Extras {
  /** Sheets of ours that the page has adopted: no part of it. */
  readonly own = new WeakSet<CSSStyleSheet>();
  /** What each font was made of. */
  readonly fonts = new WeakMap<FontFace, string | Blob>();
  readonly properties = new WeakMap<Document, PropertyDefinition[]>();
  /** What tells, once it was needed: what it has heard holds for the next epoch too. */
  make?: MakeSheets | undefined;

  /** Whether there is any in a document. */
  has(document: Document): boolean {
    return this.properties.has(document) || [...(document.fonts ?? [])].some((face) => this.fonts.has(face));
  }

  /** Takes what the loader has kept of it, and hooks in what makes more. */
  hook(realm: Realm, changed: () => void): void {
    const { fonts, properties } = this;
    const kept = keptIn(realm);
    for (const face of (kept && realm.document.fonts) ?? []) {
      const source = kept?.fonts.get(face);
      if (source) fonts.set(face, source);
    }
    if (kept?.properties.length) properties.set(realm.document, [...kept.properties]);
    const Face = realm.FontFace;
    if (Face) {
      realm.FontFace = new Proxy(Face, {
        construct(target, args: ConstructorParameters<typeof FontFace>, self) {
          const face = Reflect.construct(target, args, self) as FontFace;
          const [, source] = args;
          // Bytes as they are now: a script may use the memory for something else.
          guarded(() =>
            fonts.set(face, typeof source === "string" ? source : new Blob([source], { type: "font/ttf" })),
          );
          return face;
        },
      });
      for (const name of ["add", "delete", "clear"])
        hook(realm.FontFaceSet.prototype, name, { after: changed });
    }
    hook(realm.CSS, "registerProperty", {
      after: (_self, _result, [property]) => {
        const all = properties.get(realm.document) ?? [];
        // As it is now: a script may change the object.
        properties.set(realm.document, [...all, { ...(property as PropertyDefinition) }]);
        changed();
      },
    });
  }
}

/** Hooks in all of it. */
export function hookSheets(realm: Realm, changed: Restyle): void {
  const sheet = (self: unknown, result?: unknown): void => {
    const mark = (): void => changed("rules", self as CSSStyleSheet);
    mark();
    const later = (result as Promise<unknown> | undefined)?.then;
    later?.call(result, mark, () => {});
  };
  const rule = (self: unknown): void => {
    const { parentStyleSheet } = self as CSSRule;
    if (parentStyleSheet) changed("rules", parentStyleSheet);
  };
  for (const name of ["insertRule", "deleteRule", "addRule", "removeRule", "replaceSync", "replace"]) {
    hook(realm.CSSStyleSheet.prototype, name, { after: sheet });
  }
  const touch = (self: unknown): void => changed("media", self as CSSStyleSheet);
  hook(realm.StyleSheet.prototype, "disabled", { after: touch });
  hook(realm.StyleSheet.prototype, "media", { read: touch });
  for (const owner of [realm.CSSGroupingRule, realm.CSSStyleRule, realm.CSSKeyframesRule]) {
    for (const name of ["insertRule", "deleteRule", "appendRule", "selectorText", "name"]) {
      hook(owner.prototype, name, { after: rule });
    }
  }
  const watched = [
    realm.CSSStyleRule,
    realm.CSSKeyframeRule,
    realm.CSSFontFaceRule,
    realm.CSSPageRule,
    realm.CSSMediaRule,
  ];
  for (const owner of watched) {
    for (const name of ["style", "styleMap", "media", "keyText"]) {
      hook(owner.prototype, name, { read: (self) => changed("rule", self as CSSRule) });
    }
  }
}
