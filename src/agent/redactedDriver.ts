/**
 * Removes an agent's secrets from everything that its driver reports as an error, as stderr, or as a line of the wire.
 *
 * This is the one place for all protocols: no driver can report such a text past it. What the agent says and does (its
 * messages, its tool calls and their output) is its answer, and stays as it is.
 *
 * Beside the secrets of the agent's environment there are those that a session brings: its variables, and what its MCP
 * servers get in their environment or their headers.
 *
 * A text that a driver cuts before it comes here may end within a secret; `redact` knows the beginning of one before a
 * cut. Errors of JSON-RPC are redacted before any driver reads them (`errorIn`).
 */
import { Effect } from "effect"
import type { UpdateMessage } from "../domain/Acp.ts"
import type { QuestionField } from "../domain/Question.ts"
import type { Failure } from "../domain/Turn.ts"
import { AgentFailed } from "./Agent.ts"
import type {
  AgentConnection,
  AgentDriver,
  AgentFact,
  AgentQuestion,
  ApprovalRequest,
  OpenRequest,
  SpareSpec
} from "./Agent.ts"
import type { LostTurns } from "./lostTurns.ts"
import { mapTexts, redact, withoutValues } from "./redact.ts"
import { secretsOfRequest } from "./secretsOfRequest.ts"

/** The updates that report an error in the agent's or its adapter's own words. */
const reports: ReadonlySet<string> = new Set(["notice", "session_info_update"])

/** `secrets`: of the environment that the driver's processes have (`secretsOf`). */
export const redactedDriver = (driver: AgentDriver, secrets: ReadonlyArray<string>): AgentDriver => {
  const { spare, threads } = driver
  const open = (request: OpenRequest) => {
    const clean = cleaner([...secretsOfRequest(request), ...secrets])
    return driver
      .open({
        ...request,
        emit: (fact) => request.emit(clean.fact(fact)),
        approve: (approval) => request.approve(clean.approval(approval)),
        ask: (question) => request.ask(clean.question(question))
      })
      .pipe(
        // A defect may quote the agent, too.
        Effect.catchDefect((defect) =>
          Effect.fail(
            new AgentFailed({
              class: "protocol",
              message: `The agent could not be started: ${defect instanceof Error ? defect.message : String(defect)}`
            })
          )
        ),
        clean.explained,
        Effect.map(clean.connection)
      )
  }
  return {
    ...driver,
    open,
    ...(spare === undefined ? {} : { spare: (wish) => explainedSpare(spare(wish), cleaner(secrets)) }),
    ...(threads === undefined
      ? {}
      : { threads: (request, query) => cleaner(secrets).explained(threads(request, query)) })
  }
}

const explainedSpare = (spec: SpareSpec | null, clean: ReturnType<typeof cleaner>): SpareSpec | null =>
  spec === null
    ? null
    : {
        ...spec,
        start: (under) => clean.explained(spec.start(under)),
        serves: (waiting, request) => clean.explained(spec.serves(waiting, request))
      }

/** Removes secrets, and what has the shape of one, from what a driver reports. */
const cleaner = (secrets: ReadonlyArray<string>) => {
  const clean = (text: string) => redact(text, secrets)
  const withoutKnown = (text: string) => withoutValues(text, secrets)
  const withCleanWire = <A extends { readonly wire?: string }>(value: A): A =>
    value.wire === undefined ? value : { ...value, wire: clean(value.wire) }

  const cleanFailure = (failure: Failure): Failure => ({
    ...failure,
    message: clean(failure.message),
    ...(failure.stderr === undefined ? {} : { stderr: clean(failure.stderr) })
  })

  const explained = <A, R>(effect: Effect.Effect<A, AgentFailed, R>) =>
    Effect.mapError(
      effect,
      ({ class: kind, exit, message, stderr, wire }) =>
        new AgentFailed({
          class: kind,
          message: clean(message),
          ...(stderr === undefined ? {} : { stderr: clean(stderr) }),
          ...(wire === undefined ? {} : { wire: clean(wire) }),
          ...(exit === undefined ? {} : { exit })
        })
    )

  const cleanFact = (fact: AgentFact): AgentFact => {
    switch (fact._tag) {
      case "Update":
        return reports.has(fact.message.params.update.sessionUpdate)
          ? { ...fact, message: mapTexts(fact.message, clean) as UpdateMessage }
          : fact
      case "McpFailed":
        return { ...fact, message: clean(fact.message) }
      case "TurnStarted":
        return fact
      case "TurnEnded":
        return withCleanWire({ ...fact, failure: fact.failure === null ? null : cleanFailure(fact.failure) })
      case "Exited":
        return { ...fact, stderr: clean(fact.stderr) }
      default:
        return fact satisfies never
    }
  }

  // A person decides by the command, so nothing that only looks like a secret is removed from it.
  const cleanApproval = (request: ApprovalRequest): ApprovalRequest => ({
    ...withCleanWire(request),
    title: withoutKnown(request.title),
    raw: mapTexts(request.raw, withoutKnown)
  })

  // Ids and values go back to the agent with the answers, so they stay.
  const cleanField = (field: QuestionField): QuestionField => ({
    ...field,
    label: withoutKnown(field.label),
    ...(field.description === undefined ? {} : { description: withoutKnown(field.description) })
  })

  const cleanQuestion = (question: AgentQuestion): AgentQuestion => ({
    ...withCleanWire(question),
    title: withoutKnown(question.title),
    fields: question.fields.map(cleanField),
    raw: mapTexts(question.raw, withoutKnown)
  })

  const cleanConnection = (connection: AgentConnection): AgentConnection => {
    const { compact, contextLost, findProblem, prompt, recover, steer } = connection
    return {
      ...withCleanWire(connection),
      contextLost: contextLost === null ? null : clean(contextLost),
      prompt: (turn, content) => explained(prompt(turn, content)),
      ...(compact === undefined ? {} : { compact: (turn: number) => explained(compact(turn)) }),
      ...(recover === undefined ? {} : { recover: (lost: LostTurns) => explained(recover(lost)) }),
      ...(findProblem === undefined
        ? {}
        : { findProblem: Effect.map(findProblem, (problem) => (problem === null ? null : clean(problem))) }),
      ...(steer === undefined ? {} : { steer: (text: string) => explained(steer(text)) })
    }
  }

  return {
    approval: cleanApproval,
    connection: cleanConnection,
    explained,
    fact: cleanFact,
    question: cleanQuestion
  }
}
