/** The session as a file to keep or to send, without texts unless somebody wants them in it; and its chart. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { ExportFormat } from "../../sessionContract.ts"
import type { SessionApi } from "./store.ts"

export const ExportMenu = ({ api }: { readonly api: SessionApi }) => {
  const [withTexts, setWithTexts] = useState(false)
  const menu = useRef<HTMLDetailsElement>(null)
  useClosing(menu)
  const close = () => menu.current?.removeAttribute("open")
  return (
    <details class="export-menu" ref={menu}>
      <summary class="button">Export</summary>
      <div class="export-body panel">
        <label>
          <input type="checkbox" checked={withTexts} onChange={(event) => setWithTexts(event.currentTarget.checked)} />{" "}
          With prompts, answers and tool output
        </label>
        <p class="dim">
          {withTexts
            ? "Whoever gets the file reads the whole conversation. Known secrets are taken out all the same."
            : "Texts are replaced by their length. Safe to attach to an issue."}
        </p>
        <a class="button primary" href={api.exportUrl("html", withTexts)} download onClick={close}>
          One HTML file, opens offline
        </a>
        <a class="button" href={api.exportUrl("json", withTexts)} download onClick={close}>
          JSON
        </a>
        <p class="dim">The chart of all states, with the one that it is in marked. It has no texts in any case.</p>
        <div class="export-charts">
          {charts.map(([format, name]) => (
            <a key={format} class="button" href={api.exportUrl(format, false)} download onClick={close}>
              {name}
            </a>
          ))}
        </div>
      </div>
    </details>
  )
}

const charts = [
  ["svg", "SVG"],
  ["dot", "Graphviz"],
  ["mermaid", "Mermaid"]
] as const satisfies ReadonlyArray<readonly [ExportFormat, string]>

/** A press beside it, or Escape, closes it. */
const useClosing = (menu: { readonly current: HTMLDetailsElement | null }) =>
  useEffect(() => {
    const press = (event: Event) => {
      if (event.target instanceof Node && menu.current?.contains(event.target) === false)
        menu.current.removeAttribute("open")
    }
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || menu.current?.open !== true) return
      menu.current.removeAttribute("open")
      menu.current.querySelector("summary")?.focus()
    }
    addEventListener("pointerdown", press)
    addEventListener("keydown", escape)
    return () => {
      removeEventListener("pointerdown", press)
      removeEventListener("keydown", escape)
    }
  }, [])
