/** Writes that a ledger must refuse. The schema keeps these rules, so that no caller can break them. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { LeaseId, SessionId } from "../../../src/domain/Ids.ts"
import type { LedgerErrorKind, LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, lease, opened, eventAppended, step, turn, usage } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

export const refusals = ({ onLedger }: LedgerUnderTest) => {
  const command = { session: id, step: 1, nth: 0, type: "prompt", params: null, once: true, claimed: false }
  const nobody = SessionId.make("ses_nobody")
  const request = { app, key: "k", fingerprint: "f" }
  const effect = { _tag: "SessionCreated", session: id } as const

  const cases: ReadonlyArray<
    readonly [
      name: string,
      before: ReadonlyArray<LedgerWrite>,
      entry: LedgerWrite,
      kind: LedgerErrorKind,
      reason: RegExp
    ]
  > = [
    [
      "a patch of an unknown session",
      [],
      { _tag: "SessionPatched", session: nobody, patch: { turnCount: 1 } },
      "unmet",
      /SessionPatched of ses_nobody: no session has this id/
    ],
    [
      "an empty patch of an unknown session",
      [],
      { _tag: "SessionPatched", session: nobody, patch: {} },
      "unmet",
      /no session has this id/
    ],
    ["an event of an unknown session", [], eventAppended(1, { session: nobody }), "constraint", /foreign key/i],
    ["a second event with the same number", [eventAppended(1)], eventAppended(1), "constraint", /unique/i],
    [
      "a second step with the same number",
      [{ _tag: "StepAppended", step: step() }],
      { _tag: "StepAppended", step: step({ at: 1 }) },
      "constraint",
      /unique/i
    ],
    [
      "a second claim of a command",
      [
        { _tag: "CommandQueued", command },
        { _tag: "CommandClaimed", session: id, step: 1, nth: 0 }
      ],
      { _tag: "CommandClaimed", session: id, step: 1, nth: 0 },
      "unmet",
      /claimed before/
    ],
    [
      "a second outcome of a turn",
      [{ _tag: "TurnInserted", record: turn({ status: "completed", endedAt: 5, stopReason: "end_turn" }) }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "failed" } },
      "constraint",
      /has its outcome already/
    ],
    [
      "another end time of an ended turn",
      [{ _tag: "TurnInserted", record: turn({ status: "completed", endedAt: 5, stopReason: "end_turn" }) }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "completed", endedAt: 6 } },
      "constraint",
      /has its outcome already/
    ],
    [
      "an outcome without an end time",
      [{ _tag: "TurnInserted", record: turn() }],
      { _tag: "TurnPatched", session: id, index: 1, patch: { status: "failed" } },
      "constraint",
      /check/i
    ],
    [
      "a patch of an unknown turn",
      [],
      { _tag: "TurnPatched", session: id, index: 9, patch: { toolIterations: 1 } },
      "unmet",
      /no such turn/
    ],
    [
      "a closed session without a closing time",
      [],
      { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed" } },
      "constraint",
      /check/i
    ],
    [
      "a second lease of a session",
      [{ _tag: "LeaseOpened", lease: lease() }],
      { _tag: "LeaseOpened", lease: lease({ id: LeaseId.make("lea_2"), generation: 2 }) },
      "constraint",
      /unique/i
    ],
    [
      "a process of an unknown lease",
      [],
      { _tag: "LeaseSpawned", lease: LeaseId.make("lea_9"), pid: 1, startTime: null },
      "unmet",
      /no open lease/
    ],
    [
      "a spare that a session has already",
      [{ _tag: "LeaseOpened", lease: lease() }],
      { _tag: "LeaseTaken", lease: lease().id, session: lease().session!, generation: 2 },
      "unmet",
      /no open lease without a session/
    ],
    [
      "a second app with the name of one that is not revoked",
      [{ _tag: "AppInserted", name: app, at: 1, tokenHash: "a" }],
      { _tag: "AppInserted", name: app, at: 2, tokenHash: "b" },
      "unmet",
      /an app of this name exists/
    ],
    [
      "a second turn of a submission",
      [{ _tag: "TurnInserted", record: turn({ index: 7 }), submission: { id: "k", fingerprint: "f" } }],
      { _tag: "TurnInserted", record: turn({ index: 8 }), submission: { id: "k", fingerprint: "f" } },
      "constraint",
      /unique.*turns/i
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
      "unmet",
      /answered already/
    ],
    [
      "a second effect of an idempotency key",
      [{ _tag: "ReceiptOpened", receipt: { ...request, createdAt: 1, effect, response: null } }],
      { _tag: "ReceiptOpened", receipt: { ...request, createdAt: 2, effect, response: null } },
      "unmet",
      /the key has a receipt already/
    ],
    [
      "a session more than may be open",
      [],
      { _tag: "SessionAdmitted", app, atMost: { all: 1, ofApp: 9 }, threadId: null },
      "unmet",
      /all places for sessions are taken/
    ],
    [
      "a session more than an app may have",
      [],
      { _tag: "SessionAdmitted", app, atMost: { all: 9, ofApp: 1 }, threadId: null },
      "unmet",
      /all of the app's places for sessions are taken/
    ],
    [
      "a second session of a conversation",
      [{ _tag: "SessionPatched", session: id, patch: { threadId: "thr_1" } }],
      { _tag: "SessionAdmitted", app, atMost: null, threadId: "thr_1" },
      "unmet",
      /another session has the conversation/
    ]
  ]

  it.effect.each(cases)("%s is refused", ([, before, entry, kind, reason]) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), ...before])
        const error = yield* Effect.flip(ledger.write([entry]))
        assert.match(error.message, reason)
        assert.strictEqual(error.kind, kind)
        assert.isFalse(error.away)
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
