/** Which session it is, its state, and what a person may do to it. */
import type { Detail } from "../../sessionContract.ts"
import { clockTime, count, duration, money, plural } from "../../client/format.ts"
import { toneOf } from "../../client/tones.ts"
import { now } from "../clock.ts"
import { quietSeconds, say, sayProblem } from "../store.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { Copy } from "../ui/Copy.tsx"
import { OutcomeMark, StateBadge } from "../ui/State.tsx"
import { Age } from "../ui/Time.tsx"
import { ExportMenu } from "./ExportMenu.tsx"
import { timeShown } from "./model/then.ts"
import type { SessionApi, Store } from "./store.ts"

interface Props {
  readonly store: Store
  readonly detail: Detail
}

export const Head = ({ detail, store }: Props) => {
  const { agent, app, cwd, effort, mode, model, name, session_id } = detail.session
  const { meaning, word } = detail.session.permission
  return (
    <header class="session-head">
      <div class="session-name">
        <StateBadge substate={store.active.value} />
        {store.isLive.value ? <OutcomeMark row={detail.session} /> : null}
        <h1 title={`${name}\n${session_id}`}>
          {name === session_id ? null : <span class="session-title">{name}</span>}{" "}
          <span class="mono session-id">{session_id}</span>
        </h1>
        {store.api === null ? null : <Copies id={session_id} why={store.api.why} />}
      </div>
      <p class="session-facts">
        <span>
          <b>{agent}</b>
          {model === null ? "" : ` · ${model}`}
          {mode === null ? "" : ` · mode ${mode}`}
          {effort === null ? "" : ` · effort ${effort}`}
        </span>
        <span class="faint">app {app}</span>
        <OwnerOf detail={detail} />
        {store.isLive.value ? <Now detail={detail} /> : <Then store={store} />}
        <span class="faint" title={meaning}>
          {word}
        </span>
        <span class="faint session-cwd mono" title={cwd}>
          {cwd}
        </span>
      </p>
      <div class="session-orders">
        <ConnectionState store={store} />
        {store.cursor.value === null ? <Orders store={store} detail={detail} /> : null}
        {store.api === null ? null : <ExportMenu api={store.api} />}
      </div>
    </header>
  )
}

const Copies = ({ id, why }: { readonly id: string; readonly why: SessionApi["why"] }) => (
  <>
    <Copy label="Copy the session's id" text={() => id}>
      copy
    </Copy>
    {/* For an issue, or for another agent. */}
    <Copy title="Why it does not move, as Markdown" text={async () => (await why()).markdown}>
      copy why, as Markdown
    </Copy>
  </>
)

/** What is counted of it up to now. */
const Now = ({ detail: { session } }: Pick<Props, "detail">) => {
  const { cost, created_at, restarts, turns, usage } = session
  return (
    <>
      <span>
        <Age at={created_at} /> <span class="faint">old</span>
      </span>
      <span>
        {plural(turns, "turn")} <span class="faint">·</span> {plural(restarts, "restart")}
      </span>
      <span title={`${usage.input_tokens} in, ${usage.output_tokens} out`}>{count(usage.total_tokens)} tokens</span>
      {cost === null ? null : <span title="What its agent tells that it cost">{money(cost)}</span>}
    </>
  )
}

/** Of a moment that is travelled to nothing is said that came later. */
const Then = ({ store }: Pick<Props, "store">) => {
  const at = timeShown(store, now.value)
  const { turn } = store.snapshot.value.context
  return (
    <>
      <b>as it was at {clockTime(at, now.peek(), true)}</b>
      <span>{turn === 0 ? "before its first turn" : `turn ${turn}`}</span>
    </>
  )
}

const OwnerOf = ({ detail: { owners, session } }: Pick<Props, "detail">) => {
  const last = owners.at(-1)
  if (last === undefined) return null
  return (
    <span class="faint" title="The node that has it; each change of node begins an epoch">
      {session.node === null ? "no node has it" : `node ${session.node}`} · epoch {last.epoch}
    </span>
  )
}

/** Whether what is seen is now. */
const ConnectionState = ({ store }: { readonly store: Store }) => {
  if (store.api === null) return <span class="standing">exported</span>
  const { name } = store.phase.value
  const rebuilding = store.rebuilding.value
  const quiet = quietSeconds.value
  if (quiet !== null)
    return (
      <span class="standing link-state is-lost">
        <i />
        no news for {duration(quiet)}
      </span>
    )
  if (rebuilding !== null)
    return (
      <span class="standing link-state">
        <i />
        rebuilding {rebuilding.here} of {rebuilding.last}
      </span>
    )
  if (store.isOver.value && name === "live") return <span class="standing">complete</span>
  const words = {
    connecting: "connecting…",
    "catching-up": "catching up…",
    live: "live",
    lost: "connection lost",
    refused: "refused",
    resting: "resting"
  }
  return (
    <span
      class={`standing link-state ${name === "live" ? "is-live" : name === "lost" || name === "refused" ? "is-lost" : ""}`}
      role="status"
    >
      <i />
      {words[name]}
    </span>
  )
}

const Orders = ({ detail, store }: Props) => {
  const { api } = store
  const { state, substate } = detail.session
  if (api === null || state === "closed") return null
  const order = (what: "interrupt" | "close" | "unpark") => async () => {
    try {
      const { note } = await api.act(what)
      say(note)
    } catch (cause) {
      sayProblem(cause)
    }
  }
  return (
    <>
      {toneOf(substate) === "parked" && api.isAdmin ? (
        <Confirm tone="primary" again="Really unpark?" run={order("unpark")}>
          Unpark
        </Confirm>
      ) : null}
      {state === "turning" ? (
        <Confirm again="Really interrupt?" run={order("interrupt")}>
          Interrupt
        </Confirm>
      ) : null}
      <Confirm tone="danger" again="Really close?" run={order("close")}>
        Close
      </Confirm>
    </>
  )
}
