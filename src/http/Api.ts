/**
 * The API's contract: one value that the server, the typed client and the OpenAPI document are made from.
 *
 * No server code is imported here, so a program that uses the client loads the contract and nothing else.
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { AdminGroup } from "./contract/admin.ts"
import { ApprovalsGroup } from "./contract/approvals.ts"
import { AgentsGroup } from "./contract/agents.ts"
import { streamSchemas } from "./contract/eventStream.ts"
import { FilesGroup } from "./contract/files.ts"
import { HealthGroup } from "./contract/health.ts"
import { ReviewsGroup } from "./contract/reviews.ts"
import { RunGroup } from "./contract/run.ts"
import { SessionsGroup } from "./contract/sessions.ts"
import { TurnsGroup } from "./contract/turns.ts"
import { documented } from "./documented.ts"

export class Api extends HttpApi.make("troupe")
  .add(SessionsGroup)
  .add(TurnsGroup)
  .add(ApprovalsGroup)
  .add(RunGroup)
  .add(FilesGroup)
  .add(ReviewsGroup)
  .add(AgentsGroup)
  .add(AdminGroup)
  .add(HealthGroup)
  // A problem names everything that is wrong with a body at once, with the value that was sent. A key that is ignored is a
  // wish that is ignored: `{"permission": "ask"}` would leave the default.
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", reportInput: true, onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.AdditionalSchemas, streamSchemas)
  .annotateMerge(
    OpenApi.annotations({
      title: "Troupe",
      version: "1",
      summary: "Supervised coding-agent sessions",
      description:
        "Create a session, send it turns, get the agent's answers whole or streamed. Times are Unix seconds with milliseconds as decimals. Every answer has `x-request-id`; every refusal is an `application/problem+json` body with `ok: false` and a stable `error` code. Unknown keys in a body or a query are refused with 400; bodies of answers may gain keys.",
      license: { name: "MIT", identifier: "MIT" },
      transform: documented
    })
  ) {}
