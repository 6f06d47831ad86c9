/** One item of a transcript. All text is the agent's or the app's: it is shown as it is, and is never markup. */
import { useState } from "preact/hooks"
import { wordsOfStored } from "../../../client/machineWords.ts"
import type { Done, Opened } from "../../../contract.ts"
import { go } from "../../app/location.ts"
import { now } from "../../clock.ts"
import { clockTime, duration, fullTime, plural } from "../../../client/format.ts"
import { say, sayProblem } from "../../store.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { Since } from "../../ui/Time.tsx"
import { toneOf } from "../../../client/tones.ts"
import type { Item } from "../../../client/Transcript.ts"
import { isMarkdown } from "../reading.ts"
import { Diff } from "./Diff.tsx"
import { Markdown } from "./Markdown.tsx"
import { Plain } from "./Plain.tsx"

export interface Resend {
  readonly run: () => Promise<Done>
  /** Nobody knows whether the agent has done it: to do it twice may do harm. */
  readonly isUncertain: boolean
}

interface Props {
  readonly item: Item
  /** Forks the session after a turn; absent: it can't be forked there. */
  readonly fork?: ((turn: number) => Promise<Opened>) | undefined
  /** Sends its turn again, which did not work; absent: there is nothing to send again. */
  readonly resend?: Resend | undefined
  /** The turn that repeats this one. */
  readonly repeatedAs?: number | null
  /** A tool that runs now. */
  readonly runs?: boolean
  /** A link or a search led here: it is open. */
  readonly isSpot?: boolean
}

export const Entry = ({ fork, isSpot = false, item, repeatedAs = null, resend, runs = false }: Props) => {
  switch (item.kind) {
    case "state":
      return (
        <p class={`entry-line tone-${toneOf(item.to)}`}>
          <i />
          <span>
            {item.to} <span class="faint">· {wordsOfStored(item.event)}</span>
          </span>
          <At at={item.at} />
        </p>
      )
    case "end":
      return (
        <p class={`entry-line ${item.ok ? "" : "bad"}`}>
          <i />
          <span>{item.ok ? `end of turn ${item.turn ?? ""}: ${item.text}` : item.text}</span>
          {fork === undefined || item.turn === null ? null : <Fork turn={item.turn} fork={fork} />}
          {repeatedAs === null ? null : <span class="dim">sent again as turn {repeatedAs}</span>}
          {resend === undefined ? null : <Again resend={resend} />}
          <At at={item.at} />
        </p>
      )
    case "prompt":
    case "message":
    case "thought":
      return (
        <article class={`entry entry-${item.kind}`}>
          <header>
            <b>{names[item.kind]}</b>
            {item.kind === "prompt" && item.turn !== null ? <span class="faint"> turn {item.turn}</span> : null}
            <At at={item.at} />
          </header>
          {isMarkdown.value ? <Markdown text={item.text} /> : <Plain text={item.text} />}
        </article>
      )
    case "tool":
      return <ToolEntry item={item} runs={runs} isSpot={isSpot} />
    case "plan":
      return (
        <article class="entry">
          <header>
            <b>Plan</b>
            <At at={item.at} />
          </header>
          <ul class="plan">
            {item.entries.map(({ status, text }, n) => (
              <li key={n} class={status}>
                {text}
              </li>
            ))}
          </ul>
        </article>
      )
    case "usage":
      return (
        <details class="entry-news" open={isSpot}>
          <summary>
            <span>{plural(item.updates, "usage update")}</span>
            <At at={item.until} />
          </summary>
          <pre>{item.text}</pre>
        </details>
      )
    case "other":
      return (
        <details class="entry-news" open={isSpot}>
          <summary>
            <span>{item.what.replaceAll("_", " ")}</span>
            <At at={item.at} />
          </summary>
          <pre>{item.text}</pre>
        </details>
      )
  }
}

const names = { prompt: "Prompt", message: "Agent", thought: "Thought" }

const Again = ({ resend: { isUncertain, run } }: { readonly resend: Resend }) => {
  const press = async () => {
    try {
      say((await run()).note)
    } catch (cause) {
      sayProblem(cause)
    }
  }
  return (
    <Confirm again={isUncertain ? "It may have been done. Again?" : "Really send it again?"} run={press}>
      Send again
    </Confirm>
  )
}

const Fork = ({ fork, turn }: { readonly turn: number; readonly fork: NonNullable<Props["fork"]> }) => {
  const run = async () => {
    try {
      const { session_id } = await fork(turn)
      go({ view: "session", id: session_id })
      say(`A copy up to turn ${turn}`, "good", "What you send here goes to the copy.")
    } catch (cause) {
      sayProblem(cause)
    }
  }
  return (
    <Confirm again={`Really, up to turn ${turn}?`} run={run}>
      Fork here
    </Confirm>
  )
}

interface ToolProps {
  readonly isSpot: boolean
  readonly item: Extract<Item, { readonly kind: "tool" }>
  readonly runs: boolean
}

const ToolEntry = ({ isSpot, item, runs }: ToolProps) => {
  // What is not opened is not compared, and not laid out.
  const [isOpen, setOpen] = useState(false)
  const shown = isOpen || isSpot
  const output = item.diffs.length === 0 ? item.output : item.beside
  return (
    <details
      open={isSpot}
      class={`entry-tool ${runs ? "runs" : item.status}`}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <span class="tool-kind">{item.tool}</span>
        <code>{item.title}</code>
        <span class="tool-status">
          {runs ? (
            <>
              runs, <Since at={item.at} />
            </>
          ) : (
            `${item.status.replaceAll("_", " ")}${item.until - item.at >= 1 ? `, ${duration(item.until - item.at)}` : ""}`
          )}
        </span>
        <At at={item.at} />
      </summary>
      {shown && item.diffs.map((diff, n) => <Diff key={n} diff={diff} />)}
      {shown && <Part name="input" text={item.input} />}
      {shown && <Part name="output" text={output} />}
    </details>
  )
}

const Part = ({ name, text }: { readonly name: string; readonly text: string }) =>
  text === "" ? null : (
    <>
      <h3>{name}</h3>
      <pre>{text}</pre>
    </>
  )

const At = ({ at }: { readonly at: number }) => (
  <time class="entry-at" dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
    {clockTime(at, now.peek())}
  </time>
)
