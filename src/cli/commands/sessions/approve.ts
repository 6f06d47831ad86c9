/** `troupe sessions approve`: lists what a session's agent waits for, or answers it. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ApprovalDecision } from "../../../domain/Approval.ts"
import { Answers } from "../../../domain/Question.ts"
import type { Client } from "../../../http/Client.ts"
import { Approval } from "../../../http/contract/approvals.ts"
import { BadUsage, CommandFailed } from "../../failures.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { note, oneLine, print, printJson, table } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const approve = Command.make(
  "approve",
  {
    id: sessionId,
    approval: Argument.String("approval").pipe(
      Argument.withDescription("Which one; else the only one that is pending"),
      Argument.optional
    ),
    list: Flag.Boolean("list").pipe(
      Flag.withDescription("Answer nothing, and print what the agent waits for"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    decision: Flag.Literals("decision", ApprovalDecision.literals).pipe(
      Flag.withDescription("once; session, for as long as the agent's process runs; or deny"),
      Flag.withDefault("once" as const)
    ),
    answers: Flag.String("answers").pipe(
      Flag.withMetavar("JSON"),
      Flag.withDescription(`To a question: an object with a value for each field, such as '{"color":"red"}'`),
      Flag.optional
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ answers, approval, decision, id, json, list, ...server }) {
    const given = yield* Option.match(answers, { onNone: () => Effect.succeed({}), onSome: answersIn })
    yield* withClient(server, (client) =>
      Effect.gen(function* () {
        const pending = yield* client.approvals.list({ params: { id } })
        if (list) {
          if (json)
            return yield* printJson({
              ok: true,
              count: pending.count,
              approvals: yield* encodeAll(pending.approvals)
            })
          return yield* printPending(pending.approvals)
        }
        const chosen = yield* Option.match(approval, {
          onNone: () => onlyOne(pending.approvals, id),
          onSome: Effect.succeed
        })
        yield* answer(client, { id, chosen, payload: { decision, ...given } }, json)
      })
    )
  })
).pipe(
  Command.withDescription("Answer what a session's agent asks: leave to do something, or a question"),
  Command.withExamples([
    { command: 'troupe sessions approve "$ID" --list', description: "What it waits for" },
    { command: 'troupe sessions approve "$ID" --decision deny', description: "No, to the one that is pending" }
  ])
)

interface Answering {
  readonly id: string
  readonly chosen: string
  readonly payload: { readonly decision: ApprovalDecision; readonly answers?: Answers }
}

const answer = Effect.fnUntraced(function* (client: Client, { chosen, id, payload }: Answering, json: boolean) {
  const { ok, ...answered } = yield* client.approvals.answer({ params: { id, approval_id: chosen }, payload })
  if (json) return yield* printJson({ ok, ...((yield* encodeOne(answered)) as object) })
  yield* print(`${said[payload.decision]}: ${oneLine(answered.title)}`)
})

const said: Readonly<Record<ApprovalDecision, string>> = {
  once: "Yes, once",
  session: "Yes, for this session",
  deny: "No"
}

type Pending = ReadonlyArray<typeof Approval.Type>

const onlyOne = (pending: Pending, id: string) => {
  const [first, ...others] = pending
  if (first !== undefined && others.length === 0) return Effect.succeed(first.approvalId)
  const problem =
    first === undefined
      ? `The agent of ${id} asks nothing.`
      : `The agent of ${id} asks ${pending.length} things; name one: ${pending.map(({ approvalId }) => approvalId).join(", ")}.`
  return Effect.fail(
    first === undefined ? new CommandFailed({ code: "nothing_asked", problem }) : new BadUsage({ problem })
  )
}

const printPending = Effect.fnUntraced(function* (pending: Pending) {
  if (pending.length === 0) return yield* note("The agent asks nothing.")
  const rows = pending.map(({ approvalId, deadlineAt, kind, title }) => [
    approvalId,
    oneLine(kind),
    new Date(deadlineAt).toISOString(),
    oneLine(title)
  ])
  yield* print(table([["APPROVAL", "KIND", "A NO AFTER", "WHAT"], ...rows]))
})

const decodeAnswers = Schema.decodeUnknownEffect(Schema.fromJsonString(Answers))

const answersIn = (text: string) =>
  decodeAnswers(text).pipe(
    Effect.map((answers) => ({ answers })),
    Effect.mapError(
      () =>
        new BadUsage({
          problem: `--answers takes a JSON object of texts, numbers, true or false, or lists of texts, such as {"color":"red"}.`
        })
    )
  )

const encodeOne = Schema.encodeEffect(Schema.toCodecJson(Approval))
const encodeAll = Schema.encodeEffect(Schema.toCodecJson(Schema.Array(Approval)))
