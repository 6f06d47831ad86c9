/** The API in an Express app, behind the app's own login, and the dashboard for whoever has the admin token. */
import express from "express"
import type { AddressInfo } from "node:net"
import process from "node:process"
import { openTroupe } from "troupe/promise"

const { ADMIN_TOKEN = "change-me-to-a-secret", DATA_DIR = ".troupe", PORT = "3000" } = process.env
const troupe = await openTroupe({ dataDir: DATA_DIR, defaultAgent: "demo", adminToken: ADMIN_TOKEN })

const app = express()
app.use(express.json())
app.get("/", (_request, response) => {
  response.send("The app's own page.")
})

// Your own login. Whoever gets through acts as the app "web" of Troupe, and needs no token of Troupe's.
app.use("/agents", (request, response, next) => {
  if (request.headers.authorization === "Bearer of-your-own") return next()
  response.status(401).json({ error: "log in first" })
})
app.use("/agents", troupe.nodeHandler({ prefix: "/agents", app: "web" }))

// The dashboard has a login of its own: /operator/inspect/, with the admin token.
app.use("/operator", troupe.nodeHandler({ prefix: "/operator", dashboard: true }))

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.once("SIGTERM", () => {
  server.close()
  void troupe.close()
})
