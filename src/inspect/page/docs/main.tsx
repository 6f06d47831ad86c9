/** The page at `/docs`: reads the OpenAPI document of the server that it came from. */
import { render } from "preact"
import type { ApiDocument } from "./document.ts"
import { Page } from "./Page.tsx"
import "../styles/tokens.css"
import "./docs.css"

const place = document.getElementById("app")!

try {
  const response = await fetch("openapi.json", { signal: AbortSignal.timeout(30_000) })
  render(<Page document={(await response.json()) as ApiDocument} />, place)
  document.getElementById(location.hash.slice(1))?.scrollIntoView()
} catch (cause) {
  render(<p role="alert">The server did not give its openapi.json ({String(cause)}). Load this page again.</p>, place)
}
