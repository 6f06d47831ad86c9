/** One thing that needs a person. */
import { useState } from "preact/hooks"
import type { AttentionAction, AttentionItem } from "../../fleetContract.ts"
import { hashOf, hashOfSession } from "../app/router.ts"
import { noFilter } from "../../client/rows.ts"
import { shortened } from "../../client/format.ts"
import { api, isAdmin, say, sayProblem } from "../store.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { Sign } from "../ui/State.tsx"
import { Countdown, Since } from "../ui/Time.tsx"
import { refresh } from "./attention.ts"
import { see } from "./seen.ts"
import { kindWords, toneOfKind } from "./words.ts"

export const AttentionRow = ({ item }: { readonly item: AttentionItem }) => {
  const { actions, agent, app, kind, name, session_id, since, until, what } = item
  return (
    <li class={`attention-row tone-${toneOfKind[kind]}`} data-kind={kind}>
      <span class="badge">
        <Sign tone={toneOfKind[kind]} />
        <b>{kindWords[kind]}</b>
      </span>
      <div class="attention-what">
        <p>{what}</p>
        <p class="attention-where">
          {session_id === null ? (
            <a href={hashOf({ view: "sessions", filter: { ...noFilter, agent } })}>its sessions</a>
          ) : (
            <a class="attention-name" href={hashOfSession(session_id)} title={`${name ?? ""}\n${session_id}`}>
              {name === null || name === session_id ? <span class="mono">{shortened(session_id)}</span> : name}
            </a>
          )}
          <span>{agent}</span>
          {isAdmin.value && app !== null ? <span class="faint">app {app}</span> : null}
          {until === null ? null : (
            <span class="faint">
              by itself in <Countdown at={until} />
            </span>
          )}
        </p>
      </div>
      <span class="attention-since">{since === null ? null : <Since at={since} />}</span>
      <div class="attention-actions">
        {session_id === null
          ? null
          : actions.map((action) => <Act key={action} action={action} item={item} session={session_id} />)}
        <button
          type="button"
          class="button plain"
          title="Do not show it again in this browser"
          onClick={() => see(item.key)}
        >
          Seen
        </button>
      </div>
    </li>
  )
}

interface ActProps {
  readonly action: AttentionAction
  readonly item: AttentionItem
  readonly session: string
}

/** What gives an agent leave, and what can't be taken back, is asked for twice. */
const Act = ({ action, item, session }: ActProps) => {
  const [isBusy, setBusy] = useState(false)
  const run = async () => {
    setBusy(true)
    try {
      const { note } =
        action === "allow" || action === "deny"
          ? await api.answer(session, item.approval_id ?? "", { decision: action === "allow" ? "once" : "deny" })
          : await api.act(session, action as "unpark" | "interrupt" | "close")
      say(note)
    } catch (cause) {
      sayProblem(cause)
    }
    setBusy(false)
    await refresh()
  }
  if (action === "answer") {
    return (
      <a class="button primary" href="#/approvals">
        Answer
      </a>
    )
  }
  const { again, name, tone } = words[action]
  if (again !== undefined) {
    return (
      <Confirm tone={tone} again={again} run={run}>
        {name}
      </Confirm>
    )
  }
  return (
    <button type="button" class={`button ${tone}`} disabled={isBusy} onClick={() => void run()}>
      {name}
    </button>
  )
}

interface Words {
  readonly name: string
  readonly tone: "plain" | "primary" | "danger"
  /** Absent: one press does it. */
  readonly again?: string
}

const words: Readonly<Record<Exclude<AttentionAction, "answer">, Words>> = {
  allow: { name: "Allow once", tone: "primary", again: "Really allow?" },
  deny: { name: "Deny", tone: "danger" },
  unpark: { name: "Unpark", tone: "primary" },
  interrupt: { name: "Interrupt", tone: "plain" },
  close: { name: "Close", tone: "danger", again: "Really close?" }
}
