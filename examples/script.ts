/** A session in your own process. Nothing listens, and nothing is left when the script ends. */
import { openTroupe } from "troupe/promise"
import { converse } from "./conversation.ts"

await using troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo" })
await converse(troupe)
