/** The change of a file: a sign and a colour for each line that is gone or new. All of it is text. */
import { useMemo } from "preact/hooks"
import type { FileDiff } from "../../../client/content.ts"
import { digits } from "../../../client/format.ts"
import { lineDiff } from "../model/lineDiff.ts"
import type { DiffLine } from "../model/lineDiff.ts"

export const Diff = ({ diff }: { readonly diff: FileDiff }) => {
  const { added, isWhole, omitted, parts, removed } = useMemo(() => lineDiff(diff), [diff])
  return (
    <figure class="diff">
      <figcaption>
        <code>{diff.path}</code>
        <span class="dim">
          {diff.before === null ? "new file, " : ""}
          {digits(added)} added, {digits(removed)} removed
          {isWhole ? ": too different to be compared line by line" : ""}
        </span>
      </figcaption>
      {parts.map((part, n) => (
        <div key={n} class="diff-part">
          {part.map((line, at) => (
            <Line key={at} line={line} />
          ))}
        </div>
      ))}
      {added + removed === 0 ? <p class="dim">Nothing is different.</p> : null}
      {omitted === 0 ? null : <p class="dim">And {digits(omitted)} more lines.</p>}
    </figure>
  )
}

const names = { "+": "added", "-": "removed", " ": "" }

const Line = ({ line: { line, sign, text } }: { readonly line: DiffLine }) => {
  const content = (
    <>
      <i>{line}</i>
      <b>{sign}</b>
      {text}
    </>
  )
  if (sign === "+") return <ins class="diff-line added">{content}</ins>
  if (sign === "-") return <del class="diff-line removed">{content}</del>
  return <span class={`diff-line ${names[sign]}`}>{content}</span>
}
