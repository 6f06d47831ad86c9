/**
 * The review's store in the ledger: what is learned of an app's sessions, until a host brings a store of its own.
 *
 * What looks like a credential is taken out before it is written: a memory is read by every later session.
 */
import { Clock, Effect, Semaphore } from "effect"
import { newMemoryId } from "../domain/Ids.ts"
import { redact } from "../agent/redact.ts"
import { StoreFailed, StoreRefused, storeLimits } from "./ReviewStore.ts"
import type { ReviewStore, SkillText } from "./ReviewStore.ts"
import type { AppName } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite, LedgerError } from "../ledger/Ledger.ts"

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  // Looking and writing are one act: two reviews of an app must not both find the last free place.
  const turnstile = yield* Semaphore.make(1)

  const write = (entry: LedgerWrite) => failing(ledger.write([entry]))
  const memories = (app: AppName) => failing(ledger.memories(app))
  const skills = (app: AppName) => failing(ledger.skills(app))

  const knownMemory = Effect.fnUntraced(function* (app: AppName, id: string) {
    const found = (yield* memories(app)).some((memory) => memory.id === id)
    if (!found) return yield* new StoreRefused({ problem: `There is no memory ${JSON.stringify(id)}; list them.` })
  })
  const knownSkill = Effect.fnUntraced(function* (app: AppName, name: string) {
    const found = (yield* skills(app)).some((skill) => skill.name === name)
    if (!found) return yield* new StoreRefused({ problem: `There is no skill ${name}; create it, or list them.` })
  })

  const addMemory = Effect.fnUntraced(function* (app: AppName, text: string) {
    const kept = yield* memories(app)
    if (kept.length >= storeLimits.memories) {
      const problem = `All ${storeLimits.memories} places for memories are taken. Replace or remove some first.`
      return yield* new StoreRefused({ problem })
    }
    const clean = redact(text)
    if (kept.some((memory) => memory.text === clean)) {
      return yield* new StoreRefused({ problem: "This is kept already, word for word." })
    }
    const at = yield* Clock.currentTimeMillis
    const memory = { id: newMemoryId(), app, text: clean, createdAt: at, updatedAt: at }
    yield* write({ _tag: "MemoryAdded", memory, atMost: storeLimits.memories })
    return memory.id
  })

  const replaceMemory = Effect.fnUntraced(function* (app: AppName, id: string, text: string) {
    yield* knownMemory(app, id)
    yield* write({ _tag: "MemoryReplaced", app, id, text: redact(text), at: yield* Clock.currentTimeMillis })
  })

  const removeMemory = Effect.fnUntraced(function* (app: AppName, id: string) {
    yield* knownMemory(app, id)
    yield* write({ _tag: "MemoryRemoved", app, id })
  })

  const createSkill = Effect.fnUntraced(function* (app: AppName, name: string, skill: SkillText) {
    const kept = yield* skills(app)
    if (kept.some((other) => other.name === name)) {
      return yield* new StoreRefused({ problem: `There is a skill ${name} already; update it, or take another name.` })
    }
    if (kept.length >= storeLimits.skills) {
      const problem = `All ${storeLimits.skills} places for skills are taken. Update or remove some first.`
      return yield* new StoreRefused({ problem })
    }
    const at = yield* Clock.currentTimeMillis
    const created = { app, name, ...clean(skill), createdAt: at, updatedAt: at }
    yield* write({ _tag: "SkillAdded", skill: created, atMost: storeLimits.skills })
  })

  const updateSkill = Effect.fnUntraced(function* (app: AppName, name: string, skill: SkillText) {
    yield* knownSkill(app, name)
    const updatedAt = yield* Clock.currentTimeMillis
    yield* write({ _tag: "SkillReplaced", skill: { app, name, ...clean(skill), updatedAt } })
  })

  const removeSkill = Effect.fnUntraced(function* (app: AppName, name: string) {
    yield* knownSkill(app, name)
    yield* write({ _tag: "SkillRemoved", app, name })
  })

  const store: ReviewStore = {
    memories,
    skills,
    addMemory: (app, text) => turnstile.withPermit(addMemory(app, text)),
    replaceMemory: (app, id, text) => turnstile.withPermit(replaceMemory(app, id, text)),
    removeMemory: (app, id) => turnstile.withPermit(removeMemory(app, id)),
    createSkill: (app, name, skill) => turnstile.withPermit(createSkill(app, name, skill)),
    updateSkill: (app, name, skill) => turnstile.withPermit(updateSkill(app, name, skill)),
    removeSkill: (app, name) => turnstile.withPermit(removeSkill(app, name))
  }
  return store
})

const clean = ({ body, description }: SkillText): SkillText => ({
  description: redact(description),
  body: redact(body)
})

const failing = <A>(effect: Effect.Effect<A, LedgerError>) =>
  Effect.mapError(effect, ({ cause, operation }) => new StoreFailed({ operation, cause }))
