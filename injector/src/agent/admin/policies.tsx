/**
 * The rules in force, how often each matched, and what is wrong with files that are not.
 */

import type { PolicyError, PolicyFile, PolicyReport } from "../../protocol/words.ts";
import { usePolled } from "../polled.ts";
import * as server from "../server.ts";
import { Report } from "./report.tsx";
import { words } from "./words.ts";

/** How often the counts are read while the page is looked at, in milliseconds. */
const PAUSE = 1000;

export function PoliciesPage({ onLoginNeeded }: { onLoginNeeded: () => void }) {
  const report = usePolled(server.policyReport, PAUSE, onLoginNeeded);
  return <Report of={report}>{(now) => <Policies now={now} />}</Report>;
}

function Policies({ now }: { now: PolicyReport }) {
  const rules = now.files.reduce((sum, file) => sum + file.rules.length, 0);
  return (
    <>
      <section class="summary" aria-label={words.policies}>
        <h2>{words.inForce(rules, now.files.length, now.age)}</h2>
        <p class="quiet">{words.numbers(now.sessions, now.taken, now.broken)}</p>
        <p class="quiet">{words.matchedLead}</p>
      </section>
      {now.errors.length > 0 && (
        <section class="mistakes" role="alert">
          <h2>{words.brokenTitle}</h2>
          <p>{words.broken}</p>
          <Diagnostics list={now.errors} />
        </section>
      )}
      {now.warnings.length > 0 && (
        <details class="warnings">
          <summary>{words.warnings(now.warnings.length)}</summary>
          <Diagnostics list={now.warnings} />
        </details>
      )}
      {now.files.map((file) => (
        <File key={file.file} file={file} />
      ))}
    </>
  );
}

function Diagnostics({ list }: { list: readonly PolicyError[] }) {
  return (
    <ul>
      {list.map((error) => (
        <li key={`${error.file}:${error.line}:${error.column}:${error.message}`}>
          <p dir="ltr">
            <strong>
              {error.file}:{error.line}:{error.column}
            </strong>{" "}
            {error.message}
          </p>
          <pre dir="ltr">{error.text.split("\n").slice(1).join("\n")}</pre>
        </li>
      ))}
    </ul>
  );
}

function File({ file }: { file: PolicyFile }) {
  const name = file.file.split(/[\\/]/).pop() ?? file.file;
  const holds = (["sites", "urls", "roles"] as const).filter((key) => file[key].length > 0);
  return (
    <section class="policy-file" aria-label={name}>
      <header>
        <h2 title={file.file} dir="ltr">
          {name}
        </h2>
        {holds.length === 0 && <span class="chip">{words.holds.everywhere}</span>}
        {holds.map((key) => (
          <span key={key} class="chip">
            {words.holds[key]}: <code dir="ltr">{file[key].join(", ")}</code>
          </span>
        ))}
        {file.maskedByDefault && <span class="chip strict">{words.maskedByDefault}</span>}
        {file.overrides && <span class="chip loose">{words.overrides}</span>}
      </header>
      {file.rules.length === 0 ? (
        <p class="quiet">{words.empty}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th class="number">{words.columns.line}</th>
              <th>{words.columns.kind}</th>
              <th>{words.columns.what}</th>
              <th class="number">{words.columns.matched}</th>
            </tr>
          </thead>
          <tbody>
            {file.rules.map((rule) => (
              <tr key={`${rule.line}${rule.kind}${rule.what}`} data-unmatched={rule.matched === 0}>
                <td class="number">{rule.line}</td>
                <td>
                  <span class={`kind kind-${rule.kind}`}>{rule.kind}</span>
                  {rule.about && <small> {rule.about}</small>}
                </td>
                <td>
                  <code dir="ltr">{rule.what}</code>
                </td>
                <td class="number">{words.number(rule.matched)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
