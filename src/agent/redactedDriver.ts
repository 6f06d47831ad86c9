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
    const clean = new Cleaner([...secretsOfRequest(request), ...secrets])
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
        (opened) => clean.explained(opened),
        Effect.map((connection) => clean.connection(connection))
      )
  }
  return {
    ...driver,
    open,
    ...(spare === undefined ? {} : { spare: (wish) => explainedSpare(spare(wish), new Cleaner(secrets)) }),
    ...(threads === undefined
      ? {}
      : { threads: (request, query) => new Cleaner(secrets).explained(threads(request, query)) })
  }
}

const explainedSpare = (spec: SpareSpec | null, clean: Cleaner): SpareSpec | null =>
  spec === null
    ? null
    : {
        ...spec,
        start: (under) => clean.explained(spec.start(under)),
        serves: (waiting, request) => clean.explained(spec.serves(waiting, request))
      }

/** Removes secrets, and what has the shape of one, from what a driver reports. */
class Cleaner {
  readonly #secrets: ReadonlyArray<string>

  constructor(secrets: ReadonlyArray<string>) {
    this.#secrets = secrets
  }

  explained<A, R>(effect: Effect.Effect<A, AgentFailed, R>): Effect.Effect<A, AgentFailed, R> {
    return Effect.mapError(
      effect,
      ({ class: kind, exit, message, stderr, wire }) =>
        new AgentFailed({
          class: kind,
          message: this.#clean(message),
          ...(stderr === undefined ? {} : { stderr: this.#clean(stderr) }),
          ...(wire === undefined ? {} : { wire: this.#clean(wire) }),
          ...(exit === undefined ? {} : { exit })
        })
    )
  }

  fact(fact: AgentFact): AgentFact {
    switch (fact._tag) {
      case "Update":
        return reports.has(fact.message.params.update.sessionUpdate)
          ? { ...fact, message: mapTexts(fact.message, (text) => this.#clean(text)) as UpdateMessage }
          : fact
      case "McpFailed":
        return { ...fact, message: this.#clean(fact.message) }
      case "TurnStarted":
        return fact
      case "TurnEnded":
        return this.#withCleanWire({
          ...fact,
          failure: fact.failure === null ? null : this.#cleanFailure(fact.failure)
        })
      case "Exited":
        return { ...fact, stderr: this.#clean(fact.stderr) }
      default:
        return fact satisfies never
    }
  }

  // A person decides by the command, so nothing that only looks like a secret is removed from it.
  approval(request: ApprovalRequest): ApprovalRequest {
    return {
      ...this.#withCleanWire(request),
      title: this.#withoutKnown(request.title),
      raw: mapTexts(request.raw, (text) => this.#withoutKnown(text))
    }
  }

  question(question: AgentQuestion): AgentQuestion {
    return {
      ...this.#withCleanWire(question),
      title: this.#withoutKnown(question.title),
      fields: question.fields.map((field) => this.#cleanField(field)),
      raw: mapTexts(question.raw, (text) => this.#withoutKnown(text))
    }
  }

  connection(connection: AgentConnection): AgentConnection {
    const { compact, contextLost, findProblem, prompt, recover, steer } = connection
    return {
      ...this.#withCleanWire(connection),
      contextLost: contextLost === null ? null : this.#clean(contextLost),
      prompt: (turn, content) => this.explained(prompt(turn, content)),
      ...(compact === undefined ? {} : { compact: (turn: number) => this.explained(compact(turn)) }),
      ...(recover === undefined ? {} : { recover: (lost: LostTurns) => this.explained(recover(lost)) }),
      ...(findProblem === undefined
        ? {}
        : { findProblem: Effect.map(findProblem, (problem) => (problem === null ? null : this.#clean(problem))) }),
      ...(steer === undefined ? {} : { steer: (text: string) => this.explained(steer(text)) })
    }
  }

  #clean(text: string): string {
    return redact(text, this.#secrets)
  }

  #withoutKnown(text: string): string {
    return withoutValues(text, this.#secrets)
  }

  #withCleanWire<A extends { readonly wire?: string }>(value: A): A {
    return value.wire === undefined ? value : { ...value, wire: this.#clean(value.wire) }
  }

  #cleanFailure(failure: Failure): Failure {
    return {
      ...failure,
      message: this.#clean(failure.message),
      ...(failure.stderr === undefined ? {} : { stderr: this.#clean(failure.stderr) })
    }
  }

  // Ids and values go back to the agent with the answers, so they stay.
  #cleanField(field: QuestionField): QuestionField {
    return {
      ...field,
      label: this.#withoutKnown(field.label),
      ...(field.description === undefined ? {} : { description: this.#withoutKnown(field.description) })
    }
  }
}
