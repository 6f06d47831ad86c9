/**
 * What every ledger must do, whichever database keeps it. A driver's test calls this once.
 *
 * Reasons of refusals are matched without regard to case, by the words that databases share ("unique", "check").
 */
import { describe } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer, Scope } from "effect"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerUnusable } from "../../../src/ledger/Ledger.ts"
import { approvals } from "./approvals.ts"
import { attention } from "./attention.ts"
import { capsules } from "./capsules.ts"
import { costs } from "./costs.ts"
import { entries } from "./entries.ts"
import { nodes } from "./nodes.ts"
import { overview } from "./overview.ts"
import { records } from "./records.ts"
import { refusals } from "./refusals.ts"
import { learned, nudges, reviews } from "./reviews.ts"
import { sessions } from "./sessions.ts"
import { tallies } from "./tallies.ts"
import { webhooks } from "./webhooks.ts"
import { writing } from "./writing.ts"

/** Makes an empty database that goes with the scope. Its layer may be built again: it opens the same database. */
export type EmptyLedger = Effect.Effect<Layer.Layer<Ledger, LedgerUnusable>, never, Scope.Scope>

export interface LedgerUnderTest {
  readonly emptyLedger: EmptyLedger
  /** Runs a test on an empty ledger of its own. */
  readonly onLedger: <A, E>(
    test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | LedgerUnusable>
}

export const ledgerSuite = (name: string, emptyLedger: EmptyLedger) => {
  const underTest: LedgerUnderTest = {
    emptyLedger,
    onLedger: (test) =>
      Effect.flatMap(emptyLedger, (layer) => Ledger.use(test).pipe(Effect.provide(layer))).pipe(Effect.scoped)
  }
  describe(name, () => {
    describe("entries", () => entries(underTest))
    describe("records", () => records(underTest))
    describe("refused writes", () => refusals(underTest))
    describe("writing", () => writing(underTest))
    describe("sessions", () => sessions(underTest))
    describe("nodes", () => nodes(underTest))
    describe("capsules", () => capsules(underTest))
    describe("overview", () => overview(underTest))
    describe("approvals", () => approvals(underTest))
    describe("attention", () => attention(underTest))
    describe("nudge counters", () => nudges(underTest))
    describe("reviews", () => reviews(underTest))
    describe("memories and skills", () => learned(underTest))
    describe("tallies", () => tallies(underTest))
    describe("webhooks", () => webhooks(underTest))
    describe("costs", () => costs(underTest))
  })
}
