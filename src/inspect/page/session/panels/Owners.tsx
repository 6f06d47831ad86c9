/** The nodes that have had the session, the last first: since when, and why each took it over. */
import type { Detail } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime } from "../../../client/format.ts"
import { takeoverWords } from "../model/owners.ts"

export const Owners = ({ detail: { owners } }: { readonly detail: Detail }) =>
  owners.length === 0 ? null : (
    <>
      <h2>Nodes</h2>
      <ol class="owners">
        {owners
          .map((owner, n) => {
            const before = owners[n - 1]
            return (
              <li key={owner.epoch}>
                <b>{owner.epoch}</b>
                <time>{clockTime(owner.at, now.value)}</time>
                <span>
                  {before === undefined ? `${owner.node} has had it from here on` : takeoverWords(before, owner)}
                  <span class="faint">, after step {owner.after_step}</span>
                </span>
              </li>
            )
          })
          .toReversed()}
      </ol>
    </>
  )
