/**
 * Gives each state and each transition of a chart its sentence, as XState's `description`: pages, exports and Stately's tools
 * show it. The sentences stand in a table of their own, by path, event and guard, so that a chart can still be read as one.
 */

/** By guard, `else` for the transition without one. A text: all transitions of that event have the same. */
type OfEvent = string | Readonly<Record<string, string>>

export interface StateSentences {
  readonly state: string
  /** By event: its type, `always`, or `after` and the delay's name. */
  readonly on?: Readonly<Record<string, OfEvent>>
}

/** By the state's path. */
export type Sentences = Readonly<Record<string, StateSentences>>

interface Transition {
  readonly guard?: unknown
}

interface State {
  readonly always?: unknown
  readonly on?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  readonly states?: Readonly<Record<string, State>>
}

/** Throws where one is missing, or where the chart has no such state or transition: each is then named. */
export const described = <S extends object>(states: S, sentences: Sentences): S => {
  const used = new Set<string>()
  const missing: Array<string> = []

  const sentence = (path: string, event: string, { guard }: Transition): string => {
    const name = typeof guard === "string" ? guard : "else"
    const found = sentences[path]?.on?.[event]
    const text = typeof found === "string" ? found : found?.[name]
    used.add(typeof found === "string" ? `${path} ${event}` : `${path} ${event} ${name}`)
    if (text === undefined) missing.push(`${path} ${event} ${name}`)
    return text ?? ""
  }
  const transitions = (path: string, event: string, drawn: unknown): unknown => {
    if (Array.isArray(drawn)) return drawn.map((each: unknown) => transitions(path, event, each))
    const transition = (typeof drawn === "string" ? { target: drawn } : drawn) as Transition
    return { ...transition, description: sentence(path, event, transition) }
  }
  const each = (path: string, drawn: Readonly<Record<string, unknown>>, prefix: string) =>
    Object.fromEntries(
      Object.entries(drawn).map(([event, to]) => [event, transitions(path, `${prefix}${event}`, to)] as const)
    )
  const state = (path: string, config: State): object => {
    used.add(path)
    const description = sentences[path]?.state
    if (description === undefined) missing.push(path)
    return {
      ...config,
      description,
      ...(config.always === undefined ? {} : { always: transitions(path, "always", config.always) }),
      ...(config.on === undefined ? {} : { on: each(path, config.on, "") }),
      ...(config.after === undefined ? {} : { after: each(path, config.after, "after ") }),
      ...(config.states === undefined ? {} : { states: within(`${path}.`, config.states) })
    }
  }
  const within = (prefix: string, inner: Readonly<Record<string, State>>): object =>
    Object.fromEntries(Object.entries(inner).map(([key, config]) => [key, state(`${prefix}${key}`, config)]))

  const done = within("", states as Readonly<Record<string, State>>)
  const strange = namesOf(sentences).filter((name) => !used.has(name))
  if (missing.length > 0) throw new Error(`No sentence says what this is: ${missing.join(", ")}`)
  if (strange.length > 0) throw new Error(`A sentence is about what the chart has not: ${strange.join(", ")}`)
  return done as S
}

const namesOf = (sentences: Sentences): ReadonlyArray<string> =>
  Object.entries(sentences).flatMap(([path, { on = {} }]) => [
    path,
    ...Object.entries(on).flatMap(([event, texts]) =>
      typeof texts === "string" ? [`${path} ${event}`] : Object.keys(texts).map((guard) => `${path} ${event} ${guard}`)
    )
  ])

/** A time in a sentence: `30 s`, `5 min`. */
export const timeWords = (millis: number): string =>
  millis < 60_000 ? `${millis / 1_000} s` : `${Math.round(millis / 6_000) / 10} min`
