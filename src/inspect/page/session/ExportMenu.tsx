/** The session as a file to keep or to send; texts are left out unless somebody wants them in it. */
import { useState } from "preact/hooks"
import type { Door } from "./store.ts"

export const ExportMenu = ({ door }: { readonly door: Door }) => {
  const [withTexts, setWithTexts] = useState(false)
  return (
    <details class="export-menu">
      <summary class="button">Export</summary>
      <div class="export-body panel">
        <label>
          <input type="checkbox" checked={withTexts} onChange={(event) => setWithTexts(event.currentTarget.checked)} />{" "}
          with prompts, answers and tool output
        </label>
        <p class="dim">
          {withTexts
            ? "Whoever gets the file reads the whole conversation. Known secrets are taken out all the same."
            : "Texts are replaced by their length. Safe to attach to an issue."}
        </p>
        <a class="button primary" href={door.exportUrl("html", withTexts)} download>
          One HTML file, opens offline
        </a>
        <a class="button" href={door.exportUrl("json", withTexts)} download>
          JSON
        </a>
      </div>
    </details>
  )
}
