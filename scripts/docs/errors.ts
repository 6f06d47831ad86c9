/**
 * docs/errors.md: every code of a problem with its status and what its reader should do, the classes of failed turns, and
 * the exit codes of the command line.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { failurePolicy } from "../../machines/session/failures.ts"
import { Passing } from "../../src/domain/Refusal.ts"
import { FailureClass } from "../../src/domain/Turn.ts"
import { codes } from "../../src/http/contract/codes.ts"
import type { ErrorCode } from "../../src/http/contract/codes.ts"
import { code, table } from "./blocks.ts"

/** A code without its line does not compile. */
const remedies: Readonly<Record<ErrorCode, string>> = {
  app_exists: "Take another name, give the app a new token (`troupe app rotate`), or revoke it first.",
  app_not_found: "`troupe app list` has the names.",
  approval_not_found: "List those that wait: `GET /sessions/{id}/approvals`.",
  approval_settled: "Nothing: what was decided stands.",
  body_too_large: "Send less, or have the operator raise `TROUPE_MAX_BODY`. Upload large texts as files.",
  csrf: "Reload the dashboard.",
  draining: "Repeat the request with its `Idempotency-Key` after `retry_after` seconds.",
  file_away: "Repeat it when that node is back, or upload the file again.",
  file_not_found: "Upload it again: `POST /files`.",
  file_too_large: "Send a smaller file, or have the operator raise `TROUPE_MAX_FILE`.",
  forbidden: "Take the admin's token for `/admin` and `/metrics`, an app's token for sessions.",
  forbidden_host: "Have the operator add the name to `TROUPE_ALLOWED_HOSTS`.",
  forbidden_origin: "Have the operator add the page's origin to `TROUPE_ALLOWED_ORIGINS`.",
  headers_too_large: "Send fewer or shorter headers.",
  idempotency_conflict: "Use a new key for a new request.",
  idempotency_unknown: "Look at what the app's sessions have, then ask again with a new key.",
  internal_error: "Report it, with the server's log lines of the `request_id`.",
  invalid_request: "Correct the field that `detail` names. Sending the same again can't succeed.",
  ledger_away: "Repeat the request with its `Idempotency-Key` after `retry_after` seconds.",
  method_not_allowed: "Use a method of the `allow` header.",
  no_turn: "Send the words as a turn of their own.",
  no_wire: "Nothing: this step was not caused by a line of an agent.",
  not_allowed: "Ask for less, or have the operator change the bounds with `troupe app limit`.",
  not_found: "Check the path. `GET /docs` shows what there is.",
  not_ready: "Wait until `GET /readyz` is 200; `reasons` say what is missing.",
  not_supported: "Do without it, or choose another agent; `GET /agents` says what each can do.",
  page_not_built: "In a checkout run `npm run page`. The package brings the page along.",
  pool_full:
    "Repeat it after `retry_after` seconds, close sessions, or have the operator raise the limit that `detail` names.",
  queue_full: "Wait until some of the turns in line have ended.",
  request_timeout: "Send the head of the request at once.",
  session_closed: "Create a new session, or fork this one while it is kept.",
  session_moved: "Repeat the request; any node leads to the session.",
  session_damaged: "Create a new session. The operator can restore a backup.",
  session_newer: "Have the operator start the later version again.",
  session_not_found: "Check the id and the token: an app sees its own sessions only.",
  session_parked:
    "Wait for `retry_after` seconds, or have the operator mend what `detail` says and unpark the session.",
  thread_taken: "Close that session, or fork it.",
  agent_fixed: "Create a session with the other agent.",
  too_many_connections: "End one of the connections, or wait until an unread one has ended.",
  too_many_inspectors: "Close one of the connections.",
  turn_in_progress: "Wait for the turn, interrupt it, or send `queue: true`.",
  turn_not_found: "List the turns: `GET /sessions/{id}/turns`.",
  unauthorized: "Send `Authorization: Bearer TOKEN` with a token that is not revoked.",
  unavailable: "Report it, with the server's log lines of the `request_id`.",
  unknown_agent: "Take a name of `GET /agents`, or have the operator configure the agent.",
  unsupported_media_type: "Send `content-type: application/json`.",
  websocket_only: "Connect with a WebSocket."
}

/** What happened, and what to do; `null` stands for the same sentence in `FailureClass`. */
const failures: Readonly<Record<FailureClass, readonly [happened: string, remedy: string]>> = {
  auth: [
    "The agent is not logged in, or its key is refused.",
    "Log the agent in, or give it its key. See [agents](agents.md)."
  ],
  quota: [
    "The account is used up, or its rate is limited.",
    "Wait: the session is parked until the agent says that it can go on. A turn with `queue: true` waits for that."
  ],
  config: [
    "The agent can't start or work as it is configured.",
    "Correct what `error` names. Sending the same again can't succeed."
  ],
  model: ["The model's provider failed.", "Send the turn again, later."],
  conversation: [
    "The model refuses what was said before in this conversation.",
    "Create a new session, or fork at an earlier turn."
  ],
  crash: [
    "The agent's process died.",
    "Send the turn again. The next turn starts a new process, with the conversation."
  ],
  protocol: [
    "The agent said something that its protocol does not allow.",
    "Send the turn again. If it repeats, report it."
  ],
  timeout: ["A deadline or a watchdog ended the turn.", "Give the turn more time (`timeout_s`), or a smaller task."],
  limit: [
    "The session's processes used more memory, or were more, than the operator allows.",
    "Give the agent a smaller task, or have the operator raise `TROUPE_MAX_SESSION_RSS` or `TROUPE_MAX_SESSION_DESCENDANTS`."
  ],
  not_delivered: ["The prompt never reached the agent.", "Send it again: nothing was done."],
  outcome_unknown: [
    "Troupe or the process died while the agent was at work.",
    "Look at what the agent did before you send it again. `recovered` of the turn says later what the agent had finished."
  ],
  pool_full: ["No process came free in time.", "Send it again, or have the operator raise `TROUPE_MAX_PROCESSES`."],
  interrupted: ["The turn was interrupted, or its session closed.", "Nothing: that was wished for."]
}

const sources = join(import.meta.dirname, "..", "..", "src")
const text = readdirSync(sources, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(sources, file), "utf8"))
  .join("\n")

/** As the source has it beside the code. */
const statusOf = (name: string): string => {
  const said = new RegExp(
    `code(?:: | = |, )"${name}"(?: as const)?,?\\s+(?:[^{}]*?\\s)?(?:readonly )?status(?:: | = )(\\d+)`
  ).exec(text)
  const line = new RegExp(`line: "(\\d+)[^{}]*?code: "${name}"`).exec(text)
  const status = said?.[1] ?? line?.[1] ?? (name === "unavailable" ? "500" : isPassing(name) ? "503" : undefined)
  if (status === undefined) throw new Error(`No status was found in src for the code ${name}.`)
  return status
}

const isPassing = (name: string) => (Passing.literals as ReadonlyArray<string>).includes(name)

const yes = (is: boolean) => (is ? "yes" : "no")

export const errorBlocks = {
  codes: table(
    ["`error`", "status", "what it means", "what to do"],
    (Object.keys(codes) as Array<ErrorCode>)
      .toSorted()
      .map((name) => [`<a id="${name}"></a>${code(name)}`, statusOf(name), codes[name], remedies[name]])
  ),
  classes: table(
    ["`error_class`", "what happened", "what to do", "turns in line go on", "counts against the restart budget"],
    FailureClass.literals.map((name) => {
      const { countsAgainstBudget, retryable } = failurePolicy[name]
      return [code(name), ...failures[name], yes(retryable), yes(countsAgainstBudget)]
    })
  )
}
