/**
 * The reviews' store in the ledger: the memories and skills of each app, where the host has no store of its own.
 *
 * What looks like a credential is redacted before it is written: every later session may read a memory.
 */
import { Clock, Effect, Schedule, Semaphore } from "effect"
import { newMemoryId } from "../domain/Ids.ts"
import { redact } from "../agent/redact.ts"
import { StoreFailed, StoreRefused, storeLimits } from "./ReviewStore.ts"
import type { ReviewStore, SkillText } from "./ReviewStore.ts"
import type { AppName } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite, LedgerError } from "../ledger/Ledger.ts"

const again = Schedule.max([Schedule.spaced("40 millis"), Schedule.recurs(5)])

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  // Check and write run under one lock: two reviews of an app must not both find the last free place.
  const lock = yield* Semaphore.make(1)

  const write = (entry: LedgerWrite) =>
    ledger.write([entry]).pipe(
      // Another node may be writing for the app.
      Effect.retry({ while: ({ kind }) => kind === "unmet", schedule: again }),
      orStoreFailed
    )
  const memories = (app: AppName) => orStoreFailed(ledger.memories(app))
  const skills = (app: AppName) => orStoreFailed(ledger.skills(app))

  const requireMemory = Effect.fnUntraced(function* (app: AppName, id: string) {
    const exists = (yield* memories(app)).some((memory) => memory.id === id)
    if (!exists) return yield* new StoreRefused({ problem: `There is no memory ${JSON.stringify(id)}; list them.` })
  })
  const requireSkill = Effect.fnUntraced(function* (app: AppName, name: string) {
    const exists = (yield* skills(app)).some((skill) => skill.name === name)
    if (!exists) return yield* new StoreRefused({ problem: `There is no skill ${name}; create it, or list them.` })
  })

  const addMemory = Effect.fnUntraced(function* (app: AppName, text: string) {
    const stored = yield* memories(app)
    if (stored.length >= storeLimits.memories) {
      const problem = `All ${storeLimits.memories} places for memories are taken. Replace or remove some first.`
      return yield* new StoreRefused({ problem })
    }
    const redacted = redact(text)
    if (stored.some((memory) => memory.text === redacted)) {
      return yield* new StoreRefused({ problem: "This is kept already, word for word." })
    }
    const at = yield* Clock.currentTimeMillis
    const memory = { id: newMemoryId(), app, text: redacted, createdAt: at, updatedAt: at }
    yield* write({ _tag: "MemoryAdded", memory, atMost: storeLimits.memories })
    return memory.id
  })

  const replaceMemory = Effect.fnUntraced(function* (app: AppName, id: string, text: string) {
    yield* requireMemory(app, id)
    yield* write({ _tag: "MemoryReplaced", app, id, text: redact(text), at: yield* Clock.currentTimeMillis })
  })

  const removeMemory = Effect.fnUntraced(function* (app: AppName, id: string) {
    yield* requireMemory(app, id)
    yield* write({ _tag: "MemoryRemoved", app, id })
  })

  const createSkill = Effect.fnUntraced(function* (app: AppName, name: string, skill: SkillText) {
    const stored = yield* skills(app)
    if (stored.some((other) => other.name === name)) {
      return yield* new StoreRefused({ problem: `There is a skill ${name} already; update it, or take another name.` })
    }
    if (stored.length >= storeLimits.skills) {
      const problem = `All ${storeLimits.skills} places for skills are taken. Update or remove some first.`
      return yield* new StoreRefused({ problem })
    }
    const at = yield* Clock.currentTimeMillis
    const created = { app, name, ...redactSkill(skill), createdAt: at, updatedAt: at }
    yield* write({ _tag: "SkillAdded", skill: created, atMost: storeLimits.skills })
  })

  const updateSkill = Effect.fnUntraced(function* (app: AppName, name: string, skill: SkillText) {
    yield* requireSkill(app, name)
    const updatedAt = yield* Clock.currentTimeMillis
    yield* write({ _tag: "SkillReplaced", skill: { app, name, ...redactSkill(skill), updatedAt } })
  })

  const removeSkill = Effect.fnUntraced(function* (app: AppName, name: string) {
    yield* requireSkill(app, name)
    yield* write({ _tag: "SkillRemoved", app, name })
  })

  const store: ReviewStore = {
    memories,
    skills,
    addMemory: (app, text) => lock.withPermit(addMemory(app, text)),
    replaceMemory: (app, id, text) => lock.withPermit(replaceMemory(app, id, text)),
    removeMemory: (app, id) => lock.withPermit(removeMemory(app, id)),
    createSkill: (app, name, skill) => lock.withPermit(createSkill(app, name, skill)),
    updateSkill: (app, name, skill) => lock.withPermit(updateSkill(app, name, skill)),
    removeSkill: (app, name) => lock.withPermit(removeSkill(app, name))
  }
  return store
})

const redactSkill = ({ body, description }: SkillText): SkillText => ({
  description: redact(description),
  body: redact(body)
})

const orStoreFailed = <A>(effect: Effect.Effect<A, LedgerError>) =>
  Effect.mapError(effect, ({ cause, operation }) => new StoreFailed({ operation, cause }))
