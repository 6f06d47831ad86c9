/** Who has the places and waits for one, how each agent is by its version, and what apps used by day. */
import type { ComponentChildren } from "preact"
import type { Fleet, FleetPlace } from "../../fleetContract.ts"
import { count, digits, money } from "../../client/format.ts"
import { hashOfSession } from "../app/router.ts"
import { StateBadge } from "../ui/State.tsx"
import { Since } from "../ui/Time.tsx"
import { Both } from "./Numbers.tsx"
import { failedIn, turnsIn } from "./outcomes.ts"

interface TableProps {
  readonly name: string
  readonly hint?: string
  readonly columns: ReadonlyArray<string>
  /** How many of the columns, from the last, are numbers. */
  readonly numbers?: number
  readonly isEmpty: boolean
  readonly empty: string
  readonly children: ComponentChildren
}

const Table = ({ children, columns, empty, hint, isEmpty, name, numbers = 0 }: TableProps) => (
  <section class="panel fleet-section" aria-label={name}>
    <h2>
      {name} {hint === undefined ? null : <span class="faint">{hint}</span>}
    </h2>
    {isEmpty ? (
      <p class="dim">{empty}</p>
    ) : (
      <div class="fleet-scroll" tabIndex={0} role="region" aria-label={`${name}, as a table`}>
        <table>
          <thead>
            <tr>
              {columns.map((column, nth) => (
                <th key={column} scope="col" class={nth >= columns.length - numbers ? "number" : ""}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    )}
  </section>
)

export const Pool = ({ pool: { held, node, size, waiting } }: Pick<Fleet, "pool">) => (
  <Table
    name="Process slots"
    hint={`${held.length} of ${size} taken${node === null ? "" : ` on ${node}`}, ${waiting.length === 0 ? "nobody waits" : `${waiting.length} in line`}`}
    columns={["", "Session", "Agent", "App", "State", "Since"]}
    isEmpty={held.length + waiting.length === 0}
    empty="No session has a process."
  >
    {held.map((place, nth) => (
      <Place key={place.session_id ?? nth} place={place} words="has one" />
    ))}
    {waiting.map((place, nth) => (
      <Place key={place.session_id ?? `w${nth}`} place={place} words={`${nth + 1}. in line`} />
    ))}
  </Table>
)

const Place = ({
  place: { agent, app, name, session_id, since, substate },
  words
}: {
  readonly place: FleetPlace
  readonly words: string
}) => (
  <tr>
    <td>{words}</td>
    {session_id === null ? (
      <td colSpan={4} class="dim">
        another app's
      </td>
    ) : (
      <>
        <td>
          <a class="cut-name" href={hashOfSession(session_id)} title={session_id}>
            {name ?? session_id}
          </a>
        </td>
        <td>{agent}</td>
        <td>{app}</td>
        <td>{substate === null ? null : <StateBadge substate={substate} />}</td>
      </>
    )}
    <td>
      <Since at={since} />
    </td>
  </tr>
)

export const Agents = ({ agents }: Pick<Fleet, "agents">) => (
  <Table
    name="Agents"
    hint="by version"
    columns={["Agent", "Version", "Turns", "Failed", "Time", "Start", "Deaths", "Restarts"]}
    numbers={6}
    isEmpty={agents.length === 0}
    empty="No agent had a turn."
  >
    {agents.map(({ agent, deaths, duration, failures, outcomes, restarts, start, version }) => {
      const turns = turnsIn(outcomes)
      const failed = failedIn(outcomes)
      return (
        <tr key={`${agent} ${version}`}>
          <th scope="row">{agent}</th>
          <td class="mono">{version === "" ? "–" : version}</td>
          <td class="number">{digits(turns)}</td>
          <td
            class={`number${failed === 0 ? " faint" : " bad"}`}
            title={Object.entries(failures)
              .map(([name, n]) => `${name} ${n}`)
              .join(", ")}
          >
            {turns === 0 ? "–" : `${digits(failed)} (${Math.round((100 * failed) / turns)} %)`}
          </td>
          <td class="number">
            <Both of={duration} />
          </td>
          <td class="number">
            <Both of={start} />
          </td>
          <td class="number">{digits(turnsIn(deaths))}</td>
          <td class="number">{digits(restarts)}</td>
        </tr>
      )
    })}
  </Table>
)

export const Days = ({ days }: Pick<Fleet, "days">) => (
  <Table
    name="Tokens and cost"
    hint="of the last seven days (UTC), by app; costs as agents tell"
    columns={["Day", "App", "Turns", "Tokens", "Cost"]}
    numbers={3}
    isEmpty={days.length === 0}
    empty="Nothing was used."
  >
    {days.map(({ app, costs, day, tokens, turns }) => (
      <tr key={`${day} ${app}`}>
        <td>{day}</td>
        <td>{app}</td>
        <td class="number">{digits(turns)}</td>
        <td class="number">{count(tokens)}</td>
        <td class="number">{costs.length === 0 ? "–" : costs.map(money).join(", ")}</td>
      </tr>
    ))}
  </Table>
)
