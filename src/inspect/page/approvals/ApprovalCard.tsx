/** One approval that an agent waits for, with its three answers, or the form of its question. Also in its session's view. */
import { useComputed, useSignal } from "@preact/signals"
import type { Approval } from "../../contract.ts"
import { hashOfSession } from "../app/router.ts"
import { now } from "../clock.ts"
import { api, say, sayProblem } from "../store.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { Sign } from "../ui/State.tsx"
import { Countdown, Since } from "../ui/Time.tsx"
import { refresh } from "./inbox.ts"
import { QuestionForm } from "./QuestionForm.tsx"
import { leftOf, wantsTo } from "./words.ts"

interface Props {
  readonly approval: Approval
  /** In the view of its own session neither it nor its app need be named. */
  readonly withSession?: boolean
}

export const ApprovalCard = ({ approval, withSession = true }: Props) => {
  const { agent, app, approval_id, created_at, deadline_at, fields, kind, name, raw, session_id, title, turn } =
    approval
  const answer = async (decision: "once" | "session" | "deny") => {
    try {
      const { note } = await api.answer(session_id, approval_id, { decision })
      say(note)
    } catch (cause) {
      sayProblem(cause)
    }
    await refresh()
  }
  return (
    <article class="approval panel tone-asking" aria-label={title}>
      <header class="approval-head">
        <Sign tone="asking" />
        <span>
          <b>{agent}</b> {fields === null ? wantsTo(kind) : "asks"}
        </span>
        <span class="approval-time">
          asked <Since at={created_at} /> ago · declined in <Countdown at={deadline_at} />
        </span>
      </header>
      <TimeLeft approval={approval} />
      <pre class="approval-title">{title}</pre>
      {withSession ? (
        <p class="approval-where">
          turn {turn} of{" "}
          <a href={hashOfSession(session_id)} class={name === undefined ? "mono" : ""} title={session_id}>
            {name ?? session_id}
          </a>
          <span class="faint"> · app {app}</span>
        </p>
      ) : null}
      <details class="approval-raw">
        <summary>The request as the agent sent it</summary>
        <pre>{JSON.stringify(raw, null, 2)}</pre>
      </details>
      {fields === null ? <Permission answer={answer} /> : <QuestionForm approval={approval} fields={fields} />}
    </article>
  )
}

const Permission = ({ answer }: { readonly answer: (decision: "once" | "session" | "deny") => Promise<void> }) => (
  <div class="approval-answers">
    <Confirm tone="primary" again="Really allow?" run={() => answer("once")}>
      Allow once
    </Confirm>
    <Confirm again="Really, for all of it?" run={() => answer("session")}>
      Allow for the session
    </Confirm>
    <Confirm tone="danger" again="Really deny?" run={() => answer("deny")}>
      Deny
    </Confirm>
  </div>
)

/** A strip that shrinks with the time to answer. */
const TimeLeft = ({ approval }: { readonly approval: Approval }) => {
  const current = useSignal(approval)
  current.value = approval
  const width = useComputed(() => `width: ${(leftOf(current.value, now.value) * 100).toFixed(1)}%`)
  return (
    <div class="approval-left" aria-hidden="true">
      <i style={width} />
    </div>
  )
}
