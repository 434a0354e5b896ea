/**
 * What scripts do to style rules, and no event or attribute tells.
 *
 * A hook only says where to look. What can not be read back (fonts that a script made, registered properties) is kept
 * as the CSS that says the same.
 */

import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import type { Realm } from "./realms.ts";

/** Told what to look at. */
export interface SheetWatcher {
  /** The rules of a sheet have changed. */
  markSheet(sheet: CSSStyleSheet): void;
  /** What a sheet holds for, or whether it holds at all, may have changed. */
  touchSheet(sheet: CSSStyleSheet): void;
  /** A script has got hold of the declarations of a rule: it can change them at any time. */
  watchRule(rule: CSSRule): void;
}

/** CSS for what is in no sheet. */
export class Extras {
  /** Sheets of ours that the page has adopted: no part of it. */
  readonly own = new WeakSet<CSSStyleSheet>();
  readonly #fonts = new WeakMap<FontFace, string>();
  readonly #properties = new WeakMap<Document, string[]>();

  /** All of it that a document has now. */
  css(document: Document): string {
    const css = [...(this.#properties.get(document) ?? [])];
    for (const face of document.fonts ?? []) {
      const source = this.#fonts.get(face);
      if (source) {
        const family = JSON.stringify(face.family.replace(/^(["'])(.*)\1$/, "$2"));
        css.push(
          `@font-face{font-family:${family};src:${source};font-weight:${face.weight};font-style:${face.style};font-stretch:${face.stretch};unicode-range:${face.unicodeRange}}`,
        );
      }
    }
    return css.join("\n");
  }

  /** Hooks in what makes it. */
  hook(realm: Realm, changed: () => void): void {
    const fonts = this.#fonts;
    const Face = realm.FontFace;
    if (Face) {
      realm.FontFace = new Proxy(Face, {
        construct(target, args: ConstructorParameters<typeof FontFace>, self) {
          const face = Reflect.construct(target, args, self) as FontFace;
          guarded(() => {
            const source = args[1];
            fonts.set(
              face,
              typeof source === "string"
                ? source
                : `url(${URL.createObjectURL(new Blob([source], { type: "font/ttf" }))})`,
            );
          });
          return face;
        },
      });
      for (const name of ["add", "delete", "clear"])
        hook(realm.FontFaceSet.prototype, name, { after: changed });
    }
    hook(realm.CSS, "registerProperty", {
      after: (_self, _result, [property]) => {
        const { name, syntax, inherits, initialValue } = property as PropertyDefinition;
        const initial = initialValue === undefined ? "" : `;initial-value:${initialValue}`;
        const properties = this.#properties.get(realm.document) ?? [];
        this.#properties.set(realm.document, properties);
        properties.push(
          `@property ${name}{syntax:${JSON.stringify(syntax ?? "*")};inherits:${inherits}${initial}}`,
        );
        changed();
      },
    });
  }
}

/** Hooks in all of it. */
export function hookSheets(realm: Realm, watcher: SheetWatcher): void {
  const sheet = (self: unknown, result?: unknown): void => {
    watcher.markSheet(self as CSSStyleSheet);
    const later = (result as Promise<unknown> | undefined)?.then;
    later?.call(
      result,
      () => watcher.markSheet(self as CSSStyleSheet),
      () => {},
    );
  };
  const rule = (self: unknown): void => {
    const { parentStyleSheet } = self as CSSRule;
    if (parentStyleSheet) watcher.markSheet(parentStyleSheet);
  };
  for (const name of ["insertRule", "deleteRule", "addRule", "removeRule", "replaceSync", "replace"]) {
    hook(realm.CSSStyleSheet.prototype, name, { after: sheet });
  }
  const touch = (self: unknown): void => watcher.touchSheet(self as CSSStyleSheet);
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
      hook(owner.prototype, name, { read: (self) => watcher.watchRule(self as CSSRule) });
    }
  }
}
