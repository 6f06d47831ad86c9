/**
 * Chooses who reviews a session: the host where it takes reviews over, else our reviewer with an account that this session
 * may use.
 *
 * A conversation goes to no provider that has not had it before: our reviewer uses the review's own account, or the one
 * in the configuration of the session's agent; for codex also the one in our environment.
 */
import { Redacted } from "effect"
import type { Effect } from "effect"
import { openAiEnvironment } from "../agent/Catalog.ts"
import { namedByOperator } from "../agent/environment.ts"
import * as Reviewer from "./Reviewer.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { AgentSpec, Settings } from "../domain/Settings.ts"
import type { ReviewOptions } from "./ReviewOptions.ts"
import type { ReviewRequest } from "./ReviewRequest.ts"

/** The reviewer of a session, or the reason why it has none. */
export type ReviewerChoice =
  | { readonly _tag: "Host"; readonly review: (request: ReviewRequest) => Effect.Effect<unknown, unknown> }
  | { readonly _tag: "Reviewer"; readonly reviewer: Reviewer.Reviewer }
  | { readonly _tag: "NoReviewer"; readonly reason: string }

type Environment = Readonly<Record<string, string | undefined>>

const openAiAddress = "https://api.openai.com/v1"

export const chooseReviewer = (
  options: Pick<ReviewOptions, "onReview" | "apiKey" | "baseUrl" | "model">,
  settings: Pick<Settings, "agents">,
  environment: Environment,
  session: Pick<SessionRecord, "agent" | "model">
): ReviewerChoice => {
  if (options.onReview !== undefined) return { _tag: "Host", review: options.onReview }
  const spec = settings.agents[session.agent]
  const openAi = openAiEnvironment(session.agent, settings.agents, environment)
  const env = openAi ?? configuredFor(spec, environment)

  const model = options.model ?? session.model
  const reviewKey = options.apiKey
  const key = reviewKey ?? (isFilled(env["OPENAI_API_KEY"]) ? Redacted.make(env["OPENAI_API_KEY"]) : undefined)
  if (key === undefined)
    return noReviewer(
      "There is no key to review with: set reviews.apiKey (TROUPE_REVIEW_API_KEY), or the agent's OPENAI_API_KEY."
    )
  if (!isFilled(model))
    return noReviewer(
      "There is no model to review with: set reviews.model (TROUPE_REVIEW_MODEL), or create sessions with one."
    )
  // The review's own key is not sent to an address that belongs to the agent's account.
  const address = reviewKey === undefined && isFilled(env["OPENAI_BASE_URL"]) ? env["OPENAI_BASE_URL"] : openAiAddress
  return {
    _tag: "Reviewer",
    reviewer: Reviewer.make({
      mode: openAi === null ? "codex_responses" : "codex_app_server",
      baseUrl: options.baseUrl ?? address,
      apiKey: key,
      model
    })
  }
}

const noReviewer = (reason: string): ReviewerChoice => ({ _tag: "NoReviewer", reason })

const isFilled = (value: string | null | undefined): value is string =>
  value !== undefined && value !== null && value !== ""

/** The variables that the operator gave this agent by name, and no others of our environment. */
const configuredFor = (spec: AgentSpec | undefined, environment: Environment): Environment => ({
  ...namedByOperator(environment, spec ?? {}),
  ...spec?.env
})
