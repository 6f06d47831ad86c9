/**
 * The offline page: one exported session, shown from the data that the file itself carries. The very parts of the
 * dashboard, without a server: no network, and a clock that is set to the moment of the export.
 */
import { render } from "preact"
import type { Exported } from "../../sessionContract.ts"
import { freezeAt } from "../clock.ts"
import { fullTime } from "../../client/format.ts"
import { createStore } from "../session/store.ts"
import { Workbench } from "../session/Workbench.tsx"
import { parsed } from "../../client/visible.ts"
import "../styles/tokens.css"
import "../styles/base.css"
import "../styles/shell.css"
import "./export.css"

const read = (): Exported | string => {
  const text = document.getElementById("troupe-export")?.textContent
  if (text === undefined || text === "") return "There is no session in this file."
  try {
    const data = parsed<Exported>(text)
    return data.troupe.format === 1 ? data : "This session was exported in a format that this file can't show."
  } catch {
    return "The session in this file can't be read: the file may have been cut."
  }
}

const Page = ({ data }: { readonly data: Exported }) => {
  const { exported_at, version } = data.troupe
  return (
    <div class="app exported">
      <header class="exported-head">
        <b>Troupe {version}</b>
        <span>
          A session as it was on {fullTime(exported_at)}.{" "}
          {data.texts ? "With its texts: whoever has this file reads the conversation." : "Its texts are left out."}
        </span>
      </header>
      <Workbench store={storeOf(data)} />
    </div>
  )
}

const storeOf = ({ detail, events, me, steps }: Exported) => {
  const store = createStore(me.bounds, null)
  store.detail.value = detail
  store.take(steps, events)
  store.past.look()
  return store
}

const place = document.getElementById("app")
const data = read()
if (place !== null && typeof data === "string") place.append(data)
else if (place !== null && typeof data !== "string") {
  freezeAt(data.troupe.exported_at)
  document.title = `${data.detail.session.session_id} · Troupe`
  render(<Page data={data} />, place)
}
