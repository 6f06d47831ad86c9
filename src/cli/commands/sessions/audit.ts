/** `troupe sessions audit`: what was done with a session, and by whom. */
import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { AuditEntry } from "../../../http/contract/admin.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { oneLine, print, printJson, table } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const audit = Command.make(
  "audit",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    const { audit, count } = yield* withClient(server, (client) => client.admin.audit({ params: { id } }))
    if (json) return yield* printJson({ ok: true, count, audit: yield* encodeAudit(audit) })
    const rows = audit.map(({ action, actor, at, detail }) => [
      new Date(at).toISOString(),
      oneLine(actor),
      oneLine(action),
      oneLine(JSON.stringify(detail))
    ])
    yield* print(table([["AT", "BY", "WHAT", "DETAIL"], ...rows]))
  })
).pipe(Command.withDescription("Print what was done with a session, and by whom, with the admin's token"))

const encodeAudit = Schema.encodeEffect(Schema.toCodecJson(Schema.Array(AuditEntry)))
