/** The columns of the list: what each shows of a session, how wide it is, and by what it can be sorted. */
import { computed } from "@preact/signals"
import type { ComponentChildren } from "preact"
import type { SessionRow, Sort } from "../../contract.ts"
import { count, fullTime, money } from "../../client/format.ts"
import { nextWords } from "../../client/words.ts"
import { isAdmin, thisNode } from "../store.ts"
import { StateBadge } from "../ui/State.tsx"
import { Age, Countdown } from "../ui/Time.tsx"
import { Outcome, Reason } from "./cells.tsx"
import { chosenColumns } from "./kept.ts"

export interface Column {
  readonly id: string
  readonly name: string
  /** For a title, where the name does not say it. */
  readonly meaning?: string
  /** The least width in pixels, and the share of what is left over. */
  readonly width: number
  readonly share: number
  readonly sort?: Sort
  readonly isNumber?: boolean
  readonly cell: (row: SessionRow) => ComponentChildren
  /** The whole of what may be cut off. */
  readonly title?: (row: SessionRow) => string
}

const faint = (text: string) => <span class="faint">{text}</span>
const number = (n: number) => (n === 0 ? faint("0") : count(n))

const known: ReadonlyArray<Column> = [
  {
    id: "state",
    name: "State",
    meaning: "Its state, and how long it has been in it",
    width: 212,
    share: 0,
    sort: "state",
    cell: (row) => (
      <>
        <StateBadge substate={row.substate} />
        <span class="cell-since">
          <Age at={row.wait?.since ?? row.closed_at ?? row.created_at} />
        </span>
      </>
    )
  },
  { id: "reason", name: "Waits for", width: 170, share: 1.4, cell: (row) => <Reason row={row} /> },
  {
    id: "heard",
    name: "Heard",
    meaning: "When something was last heard of it",
    width: 58,
    share: 0,
    sort: "activity",
    isNumber: true,
    cell: (row) => <Age at={row.heard_at} />
  },
  {
    id: "outcome",
    name: "Last turn",
    meaning: "How its last turn ended, and when",
    width: 138,
    share: 0,
    sort: "outcome",
    cell: (row) => <Outcome row={row} />,
    title: ({ last_outcome: last }) =>
      last === null
        ? "No turn has ended yet"
        : `Turn ${last.turn}, ${fullTime(last.at)}${last.failure === null ? "" : `: ${last.failure.message}`}`
  },
  {
    id: "turns",
    name: "Turns",
    width: 56,
    share: 0,
    sort: "turns",
    isNumber: true,
    cell: ({ turns }) => number(turns)
  },
  {
    id: "cost",
    name: "Cost",
    meaning: "What its agent tells that it cost",
    width: 84,
    share: 0,
    sort: "cost",
    isNumber: true,
    cell: ({ cost }) => (cost === null ? faint("–") : money(cost))
  },
  { id: "agent", name: "Agent", width: 70, share: 0.3, cell: ({ agent }) => agent, title: ({ agent }) => agent },
  { id: "app", name: "App", width: 66, share: 0.3, cell: ({ app }) => app, title: ({ app }) => app },
  {
    id: "node",
    name: "Node",
    meaning: "The node that has it",
    width: 60,
    share: 0.2,
    cell: ({ node }) => node ?? faint("–"),
    title: ({ node }) => node ?? "No node has it"
  },
  {
    id: "age",
    name: "Age",
    width: 50,
    share: 0,
    sort: "created",
    isNumber: true,
    cell: ({ created_at }) => <Age at={created_at} />
  },
  {
    id: "restarts",
    name: "Restarts",
    meaning: "Deaths that were made good",
    width: 62,
    share: 0,
    isNumber: true,
    cell: ({ restarts }) => <span class={restarts === 0 ? "faint" : "has-restarts"}>{count(restarts)}</span>
  },
  {
    id: "tokens",
    name: "Tokens",
    width: 58,
    share: 0,
    isNumber: true,
    cell: ({ total_tokens }) => number(total_tokens)
  },
  {
    id: "next",
    name: "Next by itself",
    meaning: "The step that comes by itself",
    width: 138,
    share: 0,
    cell: ({ substate, wait }) =>
      wait === null || wait.next === null ? null : (
        <span title={wait.next.timer}>
          <Countdown at={wait.next.at} />
          <span class="next-to">{nextWords(substate, wait.next)}</span>
        </span>
      )
  },
  {
    id: "id",
    name: "Id",
    width: 150,
    share: 0,
    cell: (row) => <span class="mono">{row.session_id}</span>,
    title: (row) => row.session_id
  }
]

const byId = new Map(known.map((column) => [column.id, column]))

const atFirst = ["state", "reason", "heard", "outcome", "turns", "cost", "agent", "app", "node"]

const metaPrefix = "meta:"
export const metaColumn = (key: string): string => `${metaPrefix}${key}`
export const metaKeyOf = (id: string): string | null => (id.startsWith(metaPrefix) ? id.slice(metaPrefix.length) : null)

const columnOf = (id: string): Column | undefined => {
  const key = metaKeyOf(id)
  if (key === null) return byId.get(id)
  return {
    id,
    name: key,
    meaning: `${key} in the app's data of it`,
    width: 80,
    share: 0.4,
    cell: ({ meta }) => meta[key] ?? faint("–"),
    title: ({ meta }) => meta[key] ?? ""
  }
}

/** An app sees one app; a Troupe that is alone has no nodes. */
const isPossible = (id: string) => (id !== "app" || isAdmin.value) && (id !== "node" || thisNode.value !== null)

export const possibleColumns = computed(() => known.filter(({ id }) => isPossible(id)))

/** Without the name, which is always the first. */
export const columns = computed<ReadonlyArray<Column>>(() =>
  (chosenColumns.value ?? atFirst).filter(isPossible).flatMap((id) => columnOf(id) ?? [])
)

export const isChosen = (id: string): boolean => columns.value.some((column) => column.id === id)

export const toggleColumn = (id: string): void => {
  const ids = columns.peek().map((column) => column.id)
  const isNew = !ids.includes(id)
  const order = [...known.map((column) => column.id), ...ids.filter((one) => metaKeyOf(one) !== null), id]
  const chosen = isNew ? [...ids, id] : ids.filter((one) => one !== id)
  chosenColumns.value = chosen.toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
}

export const columnsAtFirst = (): void => {
  chosenColumns.value = null
}

const [boxWidth, nameWidth, gap, sides] = [22, 170, 12, 32]

/** For the grid's lines: all of them have the same columns. */
export const gridStyle = computed(() => ({
  "--columns": [
    `${boxWidth}px`,
    `minmax(${nameWidth}px, 1.6fr)`,
    ...columns.value.map(({ share, width }) => (share === 0 ? `${width}px` : `minmax(${width}px, ${share}fr)`))
  ].join(" "),
  "--least-width": `${columns.value.reduce((sum, { width }) => sum + width + gap, boxWidth + gap + nameWidth + sides)}px`
}))
