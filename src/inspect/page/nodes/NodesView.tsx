/** The nodes that work together: how each is, what it has to do, and which do not answer. Asked while it is seen. */
import { useState } from "preact/hooks"
import type { Nodes } from "../../fleetContract.ts"
import { duration, plural } from "../../client/format.ts"
import { api, leaveWhereRefused } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { useAsked } from "../ui/useAsked.ts"
import { NodeRow } from "./NodeRow.tsx"
import "./nodes.css"

const askMillis = 2_000

export default function NodesView() {
  const [attempt, setAttempt] = useState(0)
  const { latest, problem } = useAsked(() => api.nodes(), askMillis, [attempt], leaveWhereRefused)
  const isAlone = latest !== undefined && latest.lease_seconds === null
  return (
    <main id="view" class="view" tabIndex={-1} aria-busy={latest === undefined && problem === undefined}>
      <div class="nodes">
        <h1>Nodes</h1>
        {latest === undefined || isAlone ? null : (
          <p class="dim" role="status">
            {sentenceOf(latest)}
          </p>
        )}
        {problem === undefined ? null : <ProblemBox problem={problem} onRetry={() => setAttempt(attempt + 1)} />}
        {isAlone ? (
          <div class="empty">
            <h2>This Troupe is alone</h2>
            <p>
              No other node works on its ledger. <code>troupe serve --cluster</code> makes one of several.
            </p>
          </div>
        ) : null}
        {latest === undefined || isAlone ? null : <Table nodes={latest.nodes} />}
      </div>
    </main>
  )
}

/** In words that change only when something does: they are read aloud. */
const sentenceOf = ({ lease_seconds, nodes }: Nodes): string => {
  const silent = nodes.filter(({ state }) => state === null).map(({ name }) => name)
  const draining = nodes.filter(({ draining }) => draining).map(({ name }) => name)
  return [
    `${plural(nodes.length, "node")} on one ledger. Others take a node's sessions over after ${duration(lease_seconds ?? 0)} without a sign of life.`,
    silent.length === 0 ? "" : `${silent.join(", ")} ${silent.length === 1 ? "does" : "do"} not answer.`,
    draining.length === 0 ? "" : `${draining.join(", ")} ${draining.length === 1 ? "takes" : "take"} no new work.`
  ]
    .filter((part) => part !== "")
    .join(" ")
}

/** The roles are said, because a narrow screen shows each row as a card, and it stays a table. */
const Table = ({ nodes }: { readonly nodes: Nodes["nodes"] }) => (
  <table class="node-table" role="table" aria-label="Nodes">
    <thead role="rowgroup">
      <tr role="row">
        {["Node", "State", "Lease", "Processes", "Memory", "Database", "Sessions"].map((name) => (
          <th key={name} scope="col" role="columnheader">
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      {nodes.map((node) => (
        <NodeRow key={`${node.name} ${node.joined_at.toFixed(0)}`} node={node} />
      ))}
    </tbody>
  </table>
)
