/** The same form, which Angular controls. */
import "@angular/compiler";
import { Component, provideZonelessChangeDetection, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";
import { bootstrapApplication } from "@angular/platform-browser";
import { desk, knows } from "./desk.ts";

class Form {
  readonly name = signal("");
  readonly digits = signal("");
  readonly notes = signal("");
  upper(value: string): void {
    this.name.set(value.toUpperCase());
  }
  only(field: HTMLInputElement): void {
    this.digits.set(field.value.replace(/\D/g, ""));
    field.value = this.digits();
  }
}
const form = Component({
  selector: "test-form",
  imports: [FormsModule],
  template: `<form>
    <input id="name" name="name" [ngModel]="name()" (ngModelChange)="upper($event)" />
    <input id="digits" #digits [value]="this.digits()" (input)="only(digits)" />
    <textarea id="notes" name="notes" [ngModel]="notes()" (ngModelChange)="notes.set($event)"></textarea>
  </form>`,
})(Form) as typeof Form | undefined;
desk().append(document.createElement("test-form"));
const application = await bootstrapApplication(form ?? Form, { providers: [provideZonelessChangeDetection()] });
const { name, digits, notes } = application.components[0]?.instance as Form;
knows(() => [name(), digits(), notes()].join("|"));
