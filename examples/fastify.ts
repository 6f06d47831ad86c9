/** The API in a Fastify app. It takes the request before Fastify reads its body. */
import Fastify from "fastify"
import process from "node:process"
import { openTroupe } from "troupe/promise"

const { DATA_DIR = ".troupe", PORT = "3000" } = process.env
const troupe = await openTroupe({ dataDir: DATA_DIR, defaultAgent: "demo" })
const handler = troupe.nodeHandler({ prefix: "/agents", app: "web" })

const fastify = Fastify()
fastify.get("/", () => "The app's own page.")
fastify.register(async (scope) => {
  // Your own login goes here: whoever gets through acts as the app "web" of Troupe.
  scope.addHook("onRequest", async (request, reply) => {
    reply.hijack()
    handler(request.raw, reply.raw)
  })
  scope.all("/agents/*", () => {})
})
fastify.addHook("onClose", () => troupe.close())

const address = await fastify.listen({ port: Number(PORT), host: "127.0.0.1" })
console.log(`listening on ${address}`)
process.once("SIGTERM", () => void fastify.close())
