/** The links to the views, and the state of the connection. */
import { duration } from "../../client/format.ts"
import { serverTime } from "../clock.ts"
import { isDraining, notReady, phase, quietSeconds, seesNodes } from "../store.ts"
import { Brand } from "../ui/Brand.tsx"
import { Countdown } from "../ui/Time.tsx"
import { pendingCount } from "../approvals/inbox.ts"
import { attentionCount } from "../attention/attention.ts"
import { retryNow } from "./serverStatus.ts"
import { route } from "./location.ts"
import { Menu } from "./Menu.tsx"

const places = [
  { view: "attention", href: "#/", name: "Attention" },
  { view: "sessions", href: "#/sessions", name: "Sessions" },
  { view: "fleet", href: "#/fleet", name: "Overview" },
  { view: "approvals", href: "#/approvals", name: "Approvals" },
  { view: "agents", href: "#/agents", name: "Agents" },
  { view: "machine", href: "#/machine", name: "Machine" }
] as const
const placesOfOperators = [...places, { view: "nodes", href: "#/nodes", name: "Nodes" }] as const

export const Header = () => {
  const view = route.value.view
  return (
    <header class="header">
      <a class="brand" href="#/" aria-label="Troupe: what needs attention">
        <Brand />
        <span>Troupe</span>
      </a>
      <nav class="nav" aria-label="Views">
        {(seesNodes.value ? placesOfOperators : places).map(({ href, name, view: place }) => (
          <a
            key={href}
            href={href}
            aria-current={
              place === view || (place === "sessions" && (view === "session" || view === "new")) ? "page" : undefined
            }
          >
            {name}
            {place === "attention" ? <Pill count={attentionCount.value} words="things" /> : null}
            {place === "approvals" ? <Pill count={pendingCount.value} words="waiting" /> : null}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <LinkState />
        <Menu />
      </div>
    </header>
  )
}

const Pill = ({ count, words }: { readonly count: number; readonly words: string }) =>
  count === 0 ? null : (
    <span class="pill" aria-label={`${count} ${words}`}>
      {count}
    </span>
  )

const LinkState = () => {
  const { name } = phase.value
  const quiet = quietSeconds.value
  const words =
    quiet !== null
      ? `no news for ${duration(quiet)}`
      : {
          connecting: "connecting…",
          "catching-up": "catching up…",
          live: "live",
          lost: "not connected",
          refused: "refused",
          resting: "paused"
        }[name]
  const isLost = quiet !== null || name === "lost" || name === "refused"
  const look = isLost ? "is-lost" : name === "live" ? "is-live" : ""
  return (
    <div class={`link-state ${look}`} role="status" aria-label={`Connection: ${words}`} title={words}>
      <i />
      <span>{words}</span>
    </div>
  )
}

/** What the whole page should know. A short break is not worth one: the header shows it. */
export const Banners = () => (
  <div class="banners" role="status">
    {isDraining.value ? (
      <p class="banner">Troupe is shutting down: running turns may finish, new ones are not taken.</p>
    ) : null}
    {notReady.value.map((reason) => (
      <p class="banner bad" key={reason}>
        Troupe takes no new work: {reason}.
      </p>
    ))}
    <LostBanner />
  </div>
)

const LostBanner = () => {
  const current = phase.value
  const quiet = quietSeconds.value
  if (quiet !== null)
    return (
      <div class="banner bad">
        <span>
          <strong>No news from Troupe for {duration(quiet)}.</strong> The connection is open, and nothing comes over it.
          What is shown may be old.
        </span>
      </div>
    )
  if (current.name === "refused" && current.problem.status !== 401)
    return <p class="banner bad">No live news: {current.problem.detail}</p>
  if (current.name !== "lost") return null
  return (
    <div class="banner bad">
      <span>
        <strong>Connection lost.</strong> {current.problem.detail} Trying again in{" "}
        <Countdown at={serverTime(current.retryAt)} />. What is shown may be old.
      </span>
      <button type="button" class="button" onClick={retryNow}>
        Try now
      </button>
    </div>
  )
}
