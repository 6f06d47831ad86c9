/**
 * Removes an agent's secrets from everything that its driver reports as an error, as stderr, or as a line of the wire.
 *
 * This is the one place for all protocols: no driver can report such a text past it. What the agent says and does (its
 * messages, its tool calls and their output) is its answer, and stays as it is.
 *
 * A text that a driver cuts before it comes here may end within a secret; `redact` knows the beginning of one before a
 * cut. Errors of JSON-RPC are redacted before any driver reads them (`errorIn`).
 */
import { Effect } from "effect"
import type { UpdateMessage } from "../domain/Acp.ts"
import type { Failure } from "../domain/Turn.ts"
import { AgentFailed } from "./Agent.ts"
import type { AgentConnection, AgentDriver, AgentFact, ApprovalRequest, OpenRequest } from "./Agent.ts"
import { mapTexts, redact, withoutValues } from "./redact.ts"

/** The updates that report an error in the agent's or its adapter's own words. */
const reports: ReadonlySet<string> = new Set(["notice", "session_info_update"])

/** `secrets`: of the environment that the driver's processes have (`secretsOf`). */
export const redactedDriver = (driver: AgentDriver, secrets: ReadonlyArray<string>): AgentDriver => {
  const clean = (text: string) => redact(text, secrets)
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
      ({ class: kind, message, stderr, wire }) =>
        new AgentFailed({
          class: kind,
          message: clean(message),
          ...(stderr === undefined ? {} : { stderr: clean(stderr) }),
          ...(wire === undefined ? {} : { wire: clean(wire) })
        })
    )

  const cleanFact = (fact: AgentFact): AgentFact => {
    switch (fact._tag) {
      case "Update":
        return reports.has(fact.message.params.update.sessionUpdate)
          ? { ...fact, message: mapTexts(fact.message, clean) as UpdateMessage }
          : fact
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
    title: withoutValues(request.title, secrets),
    raw: mapTexts(request.raw, (text) => withoutValues(text, secrets))
  })

  const cleanConnection = (connection: AgentConnection): AgentConnection => {
    const { compact, contextLost, findProblem, prompt, steer } = connection
    return {
      ...withCleanWire(connection),
      contextLost: contextLost === null ? null : clean(contextLost),
      prompt: (turn, text) => explained(prompt(turn, text)),
      ...(compact === undefined ? {} : { compact: (turn: number) => explained(compact(turn)) }),
      ...(findProblem === undefined
        ? {}
        : { findProblem: Effect.map(findProblem, (problem) => (problem === null ? null : clean(problem))) }),
      ...(steer === undefined ? {} : { steer: (text: string) => explained(steer(text)) })
    }
  }

  const open = (request: OpenRequest) =>
    driver
      .open({
        ...request,
        emit: (fact) => request.emit(cleanFact(fact)),
        approve: (approval) => request.approve(cleanApproval(approval))
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
        explained,
        Effect.map(cleanConnection)
      )

  return { ...driver, open }
}
