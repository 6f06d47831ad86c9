/** What an app does with a session. It does not know whether the session is in its process or on a server. */
import process from "node:process"
import type { Troupe } from "troupe/promise"

export const converse = async (troupe: Troupe): Promise<void> => {
  await using session = await troupe.createSession({ agent: "demo", permissions: "ask" })
  for await (const message of session.turn("slow 3")) {
    if (message.method !== "session/update") continue
    const { update } = message.params
    if (update.sessionUpdate === "agent_message_chunk" && update.content.type === "text") {
      process.stdout.write(update.content.text)
    }
  }
  console.log()
  const turn = session.turn("ask edit")
  for await (const { message } of session.events()) {
    if (message.method !== "_troupe/approval_asked") continue
    const [approval] = await session.approvals()
    if (approval === undefined) continue
    console.log(`${approval.title}? yes`)
    await session.answer(approval.id, "once")
    break
  }
  console.log((await turn).finalText)
  const { items } = await troupe.listSessions({ state: "open" })
  console.log(`${items.length} open: ${items[0]?.id === session.id ? "this one" : "another"}`)
}
