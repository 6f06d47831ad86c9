/** Asks before sessions are closed or unparked: of how many it is, and what becomes of them. */
import type { SessionRow } from "../../contract.ts"
import { plural } from "../../client/format.ts"
import { toneOf } from "../../client/tones.ts"
import { BulkDialog } from "./BulkDialog.tsx"
import { closing, runBulk, unparking } from "./bulk.ts"
import type { Task } from "./bulk.ts"
import { chosenRows } from "./selection.ts"

interface Order {
  readonly name: string
  readonly tone: string
  readonly isMeant: (row: SessionRow) => boolean
  /** Why the others are left alone. */
  readonly others: (n: string) => string
  readonly tasks: (rows: ReadonlyArray<SessionRow>) => ReadonlyArray<Task>
  readonly does: (rows: ReadonlyArray<SessionRow>) => string
}

const orders: Readonly<Record<"close" | "unpark", Order>> = {
  close: {
    name: "Close",
    tone: "danger",
    isMeant: ({ state }) => state !== "closed",
    others: (n) => `${n} closed already.`,
    tasks: closing,
    does: (rows) => {
      const running = rows.filter(({ state }) => state === "turning").length
      const ends = running === 0 ? "None of them runs a turn." : `${plural(running, "turn")} in them will be cut off.`
      return `A closed session takes no more turns, and its agent is ended. ${ends} This can't be taken back.`
    }
  },
  unpark: {
    name: "Unpark",
    tone: "primary",
    isMeant: ({ substate }) => toneOf(substate) === "parked",
    others: (n) => `${n} not parked, and left as they are.`,
    tasks: unparking,
    does: () =>
      "The next turn of each starts its agent again, and what waits in line goes on. If the agents keep dying, they are parked again."
  }
}

export const BulkConfirm = ({
  onLeave,
  order
}: {
  readonly order: "close" | "unpark"
  readonly onLeave: () => void
}) => {
  const { does, isMeant, name, others, tasks, tone } = orders[order]
  const chosen = chosenRows()
  const meant = chosen.filter(isMeant)
  const title = `${name} ${plural(meant.length, "session")}`
  const rest = chosen.length - meant.length
  return (
    <BulkDialog title={meant.length === 0 ? name : title} onLeave={onLeave}>
      {meant.length === 0 ? null : <p>{does(meant)}</p>}
      {rest === 0 ? null : <p class="dim">{others(rest === 1 ? "1 is" : `${rest} are`)}</p>}
      <ul class="bulk-names" tabIndex={0} aria-label="The sessions">
        {meant.map((row) => (
          <li key={row.session_id} title={row.session_id}>
            {row.name} <span class="faint">{row.agent}</span>
          </li>
        ))}
      </ul>
      <div class="bulk-orders">
        <button type="button" class="button" onClick={onLeave}>
          Cancel
        </button>
        <button
          type="button"
          class={`button ${tone}`}
          disabled={meant.length === 0}
          onClick={() => {
            void runBulk(title, tasks(meant))
            onLeave()
          }}
        >
          {title}
        </button>
      </div>
    </BulkDialog>
  )
}
