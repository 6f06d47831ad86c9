/** An event that is thought up, and what the machine would make of it. It happens in this page, and nothing is sent. */
import { useState } from "preact/hooks"
import { duration } from "../../../client/format.ts"
import { wordsOfCommand, wordsOfEvent } from "../../../client/machineWords.ts"
import { toneOf } from "../../../client/tones.ts"
import { now } from "../../clock.ts"
import { Sign } from "../../ui/State.tsx"
import { timeShown } from "../model/then.ts"
import { timerName } from "../model/timers.ts"
import { pathOf } from "../model/value.ts"
import { eventOf, eventsAt, fieldsOf, whatIf } from "../model/whatIf.ts"
import type { Outcome, Values } from "../model/whatIf.ts"
import type { Store } from "../store.ts"

export const WhatIf = ({ store }: { readonly store: Store }) => {
  const [assumed, setAssumed] = useState<ReadonlyArray<Outcome>>([])
  const [type, setType] = useState("")
  const [values, setValues] = useState<Values>({})
  // What is thought up stands on a moment: another one begins anew.
  const [base, setBase] = useState(store.moment.value)
  if (base !== store.moment.value) {
    setBase(store.moment.value)
    setAssumed([])
  }

  const snapshot = assumed.at(-1)?.next ?? store.snapshot.value
  const path = pathOf(snapshot.value)
  const { known, others } = eventsAt(store.machine, path)
  const chosen = [...known, ...others].includes(type) ? type : (known[0] ?? others[0] ?? "")
  const at = timeShown(store, now.peek()) * 1_000
  const { context } = snapshot
  const nextTurn = Math.max(context.turn, ...context.queue.map(({ turn }) => turn)) + 1
  const outcome = whatIf(store.machine, snapshot, eventOf(chosen, { snapshot, nextTurn, at, values }))

  return (
    <div class="what-if" tabIndex={0} role="region" aria-label="What would happen if">
      <p class="dim">
        The machine that decides in production goes through it here, on the state{" "}
        {store.isLive.value ? "of now" : "that you look at"}. Nothing is sent, and nothing is stored.
      </p>
      {assumed.length === 0 ? null : (
        <ol class="assumed">
          {assumed.map(({ event, from, to }, n) => (
            <li key={n}>
              {wordsOfEvent(timerName(event.type))}:{" "}
              <span class="dim">{from === to ? `stays in ${to}` : `${from} → ${to}`}</span>
            </li>
          ))}
        </ol>
      )}
      <form class="what-if-form" onSubmit={(event) => event.preventDefault()}>
        <label>
          In <b>{path}</b>, what would happen if{" "}
          <select
            class="select"
            value={chosen}
            onChange={({ currentTarget }) => {
              setType(currentTarget.value)
              setValues({})
            }}
          >
            <optgroup label="This state knows">
              {known.map((each) => (
                <option key={each} value={each}>
                  {wordsOfEvent(timerName(each))} ({timerName(each)})
                </option>
              ))}
            </optgroup>
            <optgroup label="It has no arrow for">
              {others.map((each) => (
                <option key={each} value={each}>
                  {wordsOfEvent(timerName(each))} ({timerName(each)})
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        {fieldsOf(chosen).map(({ label, name, options }) => (
          <label key={`${chosen} ${name}`}>
            {label}{" "}
            <select
              class="select"
              value={values[name] ?? options[0]}
              onChange={({ currentTarget }) => setValues({ ...values, [name]: currentTarget.value })}
            >
              {options.map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          </label>
        ))}
        <button
          type="button"
          class="button"
          disabled={outcome.refused !== null}
          onClick={() => setAssumed([...assumed, outcome])}
        >
          And then?
        </button>
        {assumed.length === 0 ? null : (
          <button type="button" class="button" onClick={() => setAssumed([])}>
            Begin anew
          </button>
        )}
      </form>
      <Told outcome={outcome} />
    </div>
  )
}

const Told = ({
  outcome: { arm, cancel, changed, commands, ends, from, refused, taken, to }
}: {
  readonly outcome: Outcome
}) => {
  if (refused !== null)
    return (
      <p class="what-if-refused" role="status">
        <b>It would be refused.</b> {refused}
      </p>
    )
  return (
    <div role="status" class="what-if-told">
      <p class={`tone-${toneOf(to)}`}>
        <Sign tone={toneOf(to)} />{" "}
        {from === to ? (
          <>
            It stays in <b>{to}</b>.
          </>
        ) : (
          <>
            It goes from {from} to <b>{to}</b>
            {taken.length > 1 ? `, through ${taken.length - 1} more arrows that need no event` : ""}.
          </>
        )}
      </p>
      {ends.map((end) => (
        <p key={end}>{end}</p>
      ))}
      <dl class="what-if-facts">
        <dt>it orders</dt>
        <dd>
          {commands.length === 0
            ? "nothing"
            : commands.map(({ params, type }, n) => (
                <span key={n} title={`${type} ${JSON.stringify(params)}`}>
                  {wordsOfCommand(type)}
                </span>
              ))}
        </dd>
        <dt>timers</dt>
        <dd>
          {arm.length + cancel.length === 0 ? "stay as they are" : null}
          {arm.map(({ name, seconds }) => (
            <span key={name}>
              {wordsOfEvent(name)}: {seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : duration(seconds)}
            </span>
          ))}
          {cancel.map((name) => (
            <span key={name} class="dim">
              no longer: {wordsOfEvent(name)}
            </span>
          ))}
        </dd>
        <dt>it remembers</dt>
        <dd>
          {changed.length === 0
            ? "the same"
            : changed.map(({ after, before, path }) => (
                <span key={path}>
                  {path}: <del>{JSON.stringify(before)}</del> {JSON.stringify(after)}
                </span>
              ))}
        </dd>
      </dl>
    </div>
  )
}
