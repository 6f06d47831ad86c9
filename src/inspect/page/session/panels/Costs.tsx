/** Where the session's time and tokens went. */
import type { Detail } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { count, digits, duration, money, plural } from "../../../client/format.ts"
import { toneOf } from "../../../client/tones.ts"
import { timeByState, tokensByTurn } from "../model/costs.ts"
import type { Store } from "../store.ts"

/** More rows than this are read by nobody. */
const mostTurns = 200

export const Costs = ({ detail, store }: { readonly store: Store; readonly detail: Detail }) => {
  const { cost, usage } = detail.session
  const turns = tokensByTurn(detail.turns, now.value)
  return (
    <div class="costs" tabIndex={0} role="region" aria-label="Time and tokens">
      <h2>Time by state</h2>
      <table class="bars">
        <tbody>
          {timeByState(detail, store.steps.value, now.value).map(({ path, seconds, share, visits }) => (
            <tr key={path} class={`tone-${toneOf(path)}`}>
              <th scope="row">{path}</th>
              <td class="bar-cell">
                <i style={{ width: `${Math.max(share * 100, 0.4)}%` }} />
              </td>
              <td class="number">{seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds)}</td>
              <td class="number dim">{visits}×</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>Tokens by turn</h2>
      <p class="dim">
        {digits(usage.input_tokens)} in ({digits(usage.cached_input_tokens)} of them cached),{" "}
        {digits(usage.output_tokens)} out ({digits(usage.reasoning_tokens)} to reason).
        {cost === null ? "" : ` As its agent tells, they cost ${money(cost)}.`}
      </p>
      <table class="bars">
        <tbody>
          {turns
            .slice(-mostTurns)
            .toReversed()
            .map(({ index, seconds, share, tokens, tools }) => (
              <tr key={index} class="tone-talk">
                <th scope="row">turn {index}</th>
                <td class="bar-cell">
                  <i style={{ width: `${Math.max(share * 100, 0.4)}%` }} />
                </td>
                <td class="number">{count(tokens)}</td>
                <td class="number dim">
                  {seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds)}
                  {tools === 0 ? "" : `, ${plural(tools, "tool")}`}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      {turns.length === 0 ? <p class="dim">No turn yet.</p> : null}
      {turns.length > mostTurns ? <p class="dim">And {digits(turns.length - mostTurns)} before them.</p> : null}
    </div>
  )
}
