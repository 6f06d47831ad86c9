/** One node as a line of the table; on a narrow screen, as a card. */
import { Fragment } from "preact"
import type { ComponentChildren } from "preact"
import type { Node, NodeState } from "../../fleetContract.ts"
import { hashOf } from "../app/router.ts"
import { noFilter } from "../../client/rows.ts"
import { now } from "../clock.ts"
import { bytes, digits, plural } from "../../client/format.ts"
import { Countdown, Since } from "../ui/Time.tsx"

export const NodeRow = ({ node }: { readonly node: Node }) => (
  <tr role="row" class={node.state === null ? "is-silent" : ""}>
    <th scope="row" role="rowheader">
      <b class="node-name">{node.name}</b>
      {node.is_this ? <span class="faint"> this one</span> : null}
      <span class="node-where faint mono">{node.url ?? "no address"}</span>
      <span class="node-where faint">
        Troupe {node.version}, for <Since at={node.joined_at} />
      </span>
    </th>
    <Cell name="State">
      <Standing node={node} />
    </Cell>
    <Cell name="Lease">
      <Lease node={node} />
    </Cell>
    {node.state === null ? (
      <Cell name="" colSpan={3}>
        <span class="dim">What it runs is not known.</span>
      </Cell>
    ) : (
      <Measured state={node.state} />
    )}
    <Cell name="Sessions">
      <a href={hashOf({ view: "sessions", filter: { ...noFilter, node: node.name } })}>{digits(node.sessions)}</a>
    </Cell>
  </tr>
)

interface CellProps {
  /** Of its column, which a card says again. */
  readonly name: string
  readonly colSpan?: number
  readonly children: ComponentChildren
}

const Cell = ({ children, colSpan = 1, name }: CellProps) => (
  <td role="cell" colSpan={colSpan}>
    {name === "" ? null : (
      <span class="cell-name" aria-hidden="true">
        {name}
      </span>
    )}
    <div>{children}</div>
  </td>
)

const Standing = ({ node: { draining, renewed_at, state } }: { readonly node: Node }) => {
  if (state === null)
    return (
      <>
        <span class="link-state is-lost">
          <i />
          does not answer
        </span>
        {renewed_at === null ? null : (
          <small>
            last sign of life <Since at={renewed_at} /> ago
          </small>
        )}
      </>
    )
  return (
    <>
      <span class={`link-state${draining ? "" : " is-live"}`}>
        <i />
        {draining ? "draining" : "works"}
      </span>
      {state.circuits.map(({ agent, reason, until }) => (
        <small key={agent} class="node-circuit" title={reason}>
          does not start <b>{agent}</b> for <Countdown at={until} />
        </small>
      ))}
    </>
  )
}

/** Of one that does not answer it matters how long it still has. */
const Lease = ({ node: { lease_until, renewed_at, state } }: { readonly node: Node }) => {
  if (lease_until === null || renewed_at === null) return <>–</>
  if (state !== null)
    return (
      <>
        renewed <Since at={renewed_at} /> ago
      </>
    )
  if (lease_until <= now.value) return <b class="bad">over</b>
  return (
    <>
      <Countdown at={lease_until} /> left
    </>
  )
}

const Measured = ({ state }: { readonly state: NodeState }) => (
  <Fragment>
    <Cell name="Processes">
      <span>
        {digits(state.processes)} <span class="faint">of {digits(state.processes_limit)}</span>
      </span>
      <i class="node-share" aria-hidden="true">
        <i style={{ width: `${Math.min(100, (100 * state.processes) / state.processes_limit)}%` }} />
      </i>
      {state.spares === 0 ? null : (
        <small title="Agents that are up and wait for a session, in places that no session has">
          {plural(state.spares, "spare")}
        </small>
      )}
      {state.waiting === 0 ? null : <small class="node-waits">{plural(state.waiting, "turn")} in line</small>}
    </Cell>
    <Cell name="Memory">
      <span title="RSS of its Troupe">{bytes(state.rss_bytes)}</span>
      <small title="RSS of its agents and all that they started">
        {state.processes + state.spares === 0 ? "no agents" : `agents ${bytes(state.agents_rss_bytes)}`}
      </small>
    </Cell>
    <Cell name="Database">
      {state.database_seconds === null ? (
        <b class="bad">does not answer it</b>
      ) : (
        <span title="How long it takes to read one row">{millis(state.database_seconds)}</span>
      )}
    </Cell>
  </Fragment>
)

const millis = (seconds: number): string => {
  const value = seconds * 1000
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}
