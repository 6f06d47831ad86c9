/** Writes that a ledger must refuse. The schema keeps these rules, so that no caller can break them. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { LeaseId, SessionId } from "../../../src/domain/Ids.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, lease, opened, eventAppended, step, turn, usage } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

/** The innermost reason of a write that fails. */
const refusal = (effect: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

export const refusals = ({ onLedger }: LedgerUnderTest) => {
  const command = { session: id, step: 1, nth: 0, type: "prompt", params: null, once: true, claimed: false }
  const nobody = SessionId.make("ses_nobody")
  const request = { app, key: "k", fingerprint: "f" }
  const effect = { _tag: "TurnSubmitted", session: id, turn: 1 } as const

  const cases: ReadonlyArray<
    readonly [name: string, before: ReadonlyArray<LedgerWrite>, entry: LedgerWrite, reason: RegExp]
  > = [
    [
      "a patch of an unknown session",
      [],
      { _tag: "SessionPatched", session: nobody, patch: { turnCount: 1 } },
      /SessionPatched of ses_nobody: no session has this id/
    ],
    [
      "an empty patch of an unknown session",
      [],
      { _tag: "SessionPatched", session: nobody, patch: {} },
      /no session has this id/
    ],
    ["an event of an unknown session", [], eventAppended(1, { session: nobody }), /foreign key/i],
    ["a second event with the same number", [eventAppended(1)], eventAppended(1), /unique/i],
    [
      "a second step with the same number",
      [{ _tag: "StepAppended", step: step() }],
      { _tag: "StepAppended", step: step({ at: 1 }) },
      /unique/i
    ],
    [
      "a second claim of a command",
      [
        { _tag: "CommandQueued", command },
        { _tag: "CommandClaimed", session: id, step: 1, nth: 0 }
      ],
      { _tag: "CommandClaimed", session: id, step: 1, nth: 0 },
      /claimed before/
    ],
    [
      "a second outcome of a turn",
      [{ _tag: "TurnInserted", record: turn({ status: "completed", endedAt: 5, stopReason: "end_turn" }) }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "failed" } },
      /has its outcome already/
    ],
    [
      "another end time of an ended turn",
      [{ _tag: "TurnInserted", record: turn({ status: "completed", endedAt: 5, stopReason: "end_turn" }) }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "completed", endedAt: 6 } },
      /has its outcome already/
    ],
    [
      "an outcome without an end time",
      [{ _tag: "TurnInserted", record: turn() }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "failed" } },
      /check/i
    ],
    [
      "a patch of an unknown turn",
      [],
      { _tag: "TurnPatched", session: id, index: 9, patch: { toolIterations: 1 } },
      /no such turn/
    ],
    [
      "a closed session without a closing time",
      [],
      { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed" } },
      /check/i
    ],
    [
      "a second lease of a session",
      [{ _tag: "LeaseOpened", lease: lease() }],
      { _tag: "LeaseOpened", lease: lease({ id: LeaseId.make("lea_2"), generation: 2 }) },
      /unique/i
    ],
    [
      "a process of an unknown lease",
      [],
      { _tag: "LeaseSpawned", lease: LeaseId.make("lea_9"), pid: 1, startTime: null },
      /no open lease/
    ],
    [
      "a second app with the name of one that is not revoked",
      [{ _tag: "AppInserted", name: app, at: 1, tokenHash: "a" }],
      { _tag: "AppInserted", name: app, at: 2, tokenHash: "b" },
      /an app of this name exists/
    ],
    [
      "a second response to an idempotency key",
      [
        {
          _tag: "ReceiptOpened",
          receipt: { ...request, createdAt: 1, effect: null, response: { status: 200, body: "1" } }
        }
      ],
      { _tag: "ReceiptAnswered", request, at: 2, response: { status: 200, body: "2" } },
      /answered already/
    ],
    [
      "a second effect of an idempotency key",
      [{ _tag: "ReceiptOpened", receipt: { ...request, createdAt: 1, effect, response: null } }],
      { _tag: "ReceiptOpened", receipt: { ...request, createdAt: 2, effect: { ...effect, turn: 2 }, response: null } },
      /UNIQUE constraint failed: receipts/
    ]
  ]

  it.effect.each(cases)("%s is refused", ([, before, entry, reason]) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), ...before])
        assert.match(yield* refusal(ledger.write([entry])), reason)
      })
    )
  )

  it.effect("the same outcome written again is accepted, and tokens that come late are added", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const ended = { status: "completed", endedAt: 5, stopReason: "end_turn" } as const
        yield* ledger.write([opened(), { _tag: "TurnInserted", record: turn(ended) }])
        yield* ledger.write([{ _tag: "TurnPatched", session: id, index: 1, patch: { ...ended, usage: usage(7) } }])
        assert.deepStrictEqual(yield* ledger.turn(id, 1), Option.some(turn({ ...ended, usage: usage(7) })))
      })
    )
  )
}
