/**
 * Who reviews a session: the host where it wants to, else our reviewer with an account that this session may use.
 *
 * A conversation goes to no provider that it was not with before: our reviewer takes the review's own account, or the
 * one that the session's agent has by its configuration; codex also has what it finds in our environment.
 */
import { Redacted } from "effect"
import { openAiEnvironment } from "../agent/Catalog.ts"
import * as Reviewer from "./Reviewer.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { AgentSpec, Settings } from "../domain/Settings.ts"
import type { ReviewerChoice } from "./ReviewRun.ts"
import type { ReviewOptions } from "./ReviewOptions.ts"

type Source = Readonly<Record<string, string | undefined>>

const openAiAddress = "https://api.openai.com/v1"

export const chooseReviewer = (
  options: Pick<ReviewOptions, "onReview" | "apiKey" | "baseUrl" | "model">,
  settings: Pick<Settings, "agents">,
  from: Source,
  session: Pick<SessionRecord, "agent" | "model">
): ReviewerChoice => {
  if (options.onReview !== undefined) return { _tag: "Host", review: options.onReview }
  const spec = settings.agents[session.agent]
  const openAi = openAiEnvironment(session.agent, settings.agents, from)
  const env = openAi ?? configured(spec, from)

  const model = options.model ?? session.model
  const own = options.apiKey
  const key = own ?? (filled(env["OPENAI_API_KEY"]) ? Redacted.make(env["OPENAI_API_KEY"]) : undefined)
  if (key === undefined)
    return nobody(
      "There is no key to review with: set reviews.apiKey (TROUPE_REVIEW_API_KEY), or the agent's OPENAI_API_KEY."
    )
  if (!filled(model))
    return nobody(
      "There is no model to review with: set reviews.model (TROUPE_REVIEW_MODEL), or create sessions with one."
    )
  // The review's own key is not shown to an address that the agent was given.
  const theirs = own === undefined && filled(env["OPENAI_BASE_URL"]) ? env["OPENAI_BASE_URL"] : openAiAddress
  return {
    _tag: "Reviewer",
    reviewer: Reviewer.make({
      mode: openAi === null ? "codex_responses" : "codex_app_server",
      baseUrl: options.baseUrl ?? theirs,
      apiKey: key,
      model
    })
  }
}

const nobody = (reason: string): ReviewerChoice => ({ _tag: "Nobody", reason })

const filled = (value: string | null | undefined): value is string =>
  value !== undefined && value !== null && value !== ""

/** What the operator has given this agent by name, and nothing that it merely finds. */
const configured = (spec: AgentSpec | undefined, from: Source): Source => ({
  ...Object.fromEntries((spec?.inheritEnv ?? []).map((name) => [name, from[name]])),
  ...spec?.env
})
