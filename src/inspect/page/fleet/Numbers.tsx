/** The numbers of all turns of the window. */
import type { ComponentChildren } from "preact"
import type { FleetNumbers, Quantiles } from "../../fleetContract.ts"
import { count, digits } from "../../client/format.ts"
import { Sign } from "../ui/State.tsx"
import { outcomes, turnsIn } from "./outcomes.ts"

export const Numbers = ({ numbers }: { readonly numbers: FleetNumbers }) => (
  <dl class="fleet-numbers">
    <Card name="Turns">
      <b>{digits(turnsIn(numbers.outcomes))}</b>
      <span class="fleet-outcomes">
        {outcomes.map(({ name, tone, words }) =>
          (numbers.outcomes[name] ?? 0) === 0 ? null : (
            <span key={name} class={`tone-${tone}`}>
              <Sign tone={tone} /> {digits(numbers.outcomes[name] ?? 0)} {words}
            </span>
          )
        )}
      </span>
      <Classes counts={numbers.failures} />
    </Card>
    <Card name="Time of turns">
      <Both of={numbers.duration} />
      <small>from submission to end</small>
    </Card>
    <Card name="Of it waiting">
      <Both of={numbers.wait} />
      <small>for a process</small>
    </Card>
    <Card name="Processes">
      <b>{digits(turnsIn(numbers.deaths))}</b> died, <b>{digits(numbers.restarts)}</b> restarted
      <Classes counts={numbers.deaths} />
    </Card>
    <Card name="Tokens">
      <b>{count(numbers.tokens)}</b>
    </Card>
  </dl>
)

const Card = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div class="panel">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

/** By class, the most frequent first. */
const Classes = ({ counts }: { readonly counts: Readonly<Record<string, number>> }) => {
  const classes = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return classes.length === 0 ? null : <small>{classes.map(([name, n]) => `${name} ${n}`).join(" · ")}</small>
}

export const seconds = (value: number | null): string =>
  value === null
    ? "–"
    : value < 1
      ? `${Math.round(value * 1000)} ms`
      : value < 100
        ? `${value.toFixed(1)} s`
        : `${Math.round(value / 60)} min`

export const Both = ({ of }: { readonly of: Quantiles }) => (
  <span class="fleet-both">
    <span>
      <abbr title="Half of them take no longer">p50</abbr> <b>{seconds(of.p50)}</b>
    </span>
    <span>
      <abbr title="19 of 20 take no longer">p95</abbr> <b>{seconds(of.p95)}</b>
    </span>
  </span>
)
