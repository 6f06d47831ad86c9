/** Why it is not moving: what is awaited, who owes it, since when, and what comes by itself. Or how it was, then. */
import { wordsOfCommand, wordsOfDelay, wordsOfStored } from "../../../client/machineWords.ts"
import type { ComponentChildren } from "preact"
import type { Detail } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime, duration, plural } from "../../../client/format.ts"
import { owedBy } from "../../../client/words.ts"
import { quietSeconds } from "../../store.ts"
import { toneOf } from "../../../client/tones.ts"
import { Sign } from "../../ui/State.tsx"
import { Countdown, Since } from "../../ui/Time.tsx"
import { armedAfter, timerName } from "../model/timers.ts"
import type { Store } from "../store.ts"
import { Pips } from "./Budget.tsx"

interface Props {
  readonly store: Store
  readonly detail: Detail
}

export const Why = ({ detail, store }: Props) =>
  store.isLive.value ? <WhyNow store={store} detail={detail} lost={lostWords(store)} /> : <AsItWas store={store} />

/** What is shown is not known to be so now. */
const lostWords = (store: Store): string | null => {
  const quiet = store.api === null ? null : quietSeconds.value
  if (quiet !== null) return `No news from Troupe for ${duration(quiet)}. As last heard:`
  return ["lost", "refused"].includes(store.phase.value.name) ? "As last heard:" : null
}

/** Those that will not pass by themselves. */
const alarming: ReadonlySet<string> = new Set(["stopped", "blocked", "loops", "silent"])

/** What its processes do, where that says more than the sentence. */
const Verdict = ({ store }: { readonly store: Store }) => {
  const diagnosis = store.diagnosis.value
  return diagnosis === undefined || diagnosis.kind === "none" ? null : (
    <p class={`why-verdict${alarming.has(diagnosis.kind) ? " bad" : ""}`} role="status">
      {diagnosis.verdict}
    </p>
  )
}

const WhyNow = ({
  detail,
  lost,
  store
}: {
  readonly detail: Detail
  readonly lost: string | null
  readonly store: Store
}) => {
  const { awaited, last_byte_at, queued, sentence, wait } = detail.why
  const { next } = wait
  return (
    <div class={`why tone-${toneOf(detail.session.substate)}`}>
      <p class="why-sentence">
        <Sign tone={toneOf(detail.session.substate)} />
        <span>
          {lost === null ? null : <b class="bad">{lost} </b>}
          {sentence}
        </span>
      </p>
      {lost === null ? <Verdict store={store} /> : null}
      {detail.process.unseen === null ? null : (
        <p class="why-unseen" role="status">
          {detail.process.unseen}
        </p>
      )}
      <dl class="facts">
        <Fact name="it is up to">{owedBy(wait)}</Fact>
        <Fact name="since">
          <Since at={wait.since} />
        </Fact>
        {detail.process.pid === null && last_byte_at === null ? null : (
          <Fact name="agent last heard">
            {last_byte_at === null ? (
              "nothing yet"
            ) : lost !== null ? (
              `at ${clockTime(last_byte_at, now.peek())}`
            ) : (
              <>
                <Since at={last_byte_at} /> ago
              </>
            )}
          </Fact>
        )}
        {next === null ? null : (
          <Fact name="comes by itself">
            <span class="why-next">
              {wordsOfDelay(next.timer)}, in <Countdown at={next.at} />
              {next.to === null ? null : <span class="dim"> → {next.to}</span>}
            </span>
          </Fact>
        )}
        {queued === 0 ? null : <Fact name="in line">{plural(queued, "turn")}</Fact>}
        {detail.owed.length === 0 ? null : (
          <Fact name="not yet carried out">{detail.owed.map(({ type }) => wordsOfCommand(type)).join(", ")}</Fact>
        )}
        <Fact name="restarts left">
          <Pips budget={detail.budget} />
        </Fact>
      </dl>
      {awaited.length === 0 ? null : (
        <p class="why-awaited">
          <span class="faint">what can happen now</span>
          {awaited.map((event) => (
            <span key={event} class="why-event" title={timerName(event)}>
              {wordsOfStored(event)}
            </span>
          ))}
        </p>
      )}
    </div>
  )
}

const AsItWas = ({ store }: { readonly store: Store }) => {
  const step = store.last.value?.step
  const at = step?.at ?? store.detail.value?.session.created_at ?? 0
  const moment = store.pointed.value ?? at
  const armed = armedAfter(store.steps.value, store.moment.value)
  return (
    <div class={`why was tone-${toneOf(store.active.value)}`}>
      <p class="why-sentence">
        <Sign tone={toneOf(store.active.value)} />
        <span>
          As it was {duration(now.value - moment)} ago: <b>{store.active.value}</b>
          {step === undefined
            ? ", just created"
            : `, for ${duration(moment - at)} since this: ${wordsOfStored(step.event.type)}`}
          .
        </span>
      </p>
      <dl class="facts">
        {armed.map(({ dueAt, name }) => (
          <Fact key={name} name={wordsOfDelay(name)}>
            in {duration(dueAt - moment)}
          </Fact>
        ))}
        {step === undefined ? null : (
          <Fact name="what that step had done">
            {step.commands.length === 0 ? "nothing" : step.commands.map(wordsOfCommand).join(", ")}
          </Fact>
        )}
      </dl>
      {store.last.value?.drift === null || store.last.value === undefined ? null : (
        <p class="drift" role="alert">
          Drift: {store.last.value.drift}
        </p>
      )}
      <p class="faint">Rebuilt from the stored steps by the machine itself. Nothing is run again.</p>
    </div>
  )
}

export const Fact = ({ children, name }: { readonly children: ComponentChildren; readonly name: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
