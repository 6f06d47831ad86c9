/** The same program, with the session on a server: `troupe serve` prints the address, `troupe app create NAME` a token. */
import process from "node:process"
import { openTroupe } from "troupe/promise"
import { converse } from "./conversation.ts"

const { TROUPE_TOKEN: token = "", TROUPE_URL: url = "http://127.0.0.1:8420" } = process.env
await using troupe = await openTroupe({ url, token })
await converse(troupe)
