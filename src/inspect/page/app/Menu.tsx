/** Who looks, and what they set once: colours, the list of keys, the way out. */
import { me, say, sayProblem, api } from "../store.ts"
import { theme, themes } from "../theme.ts"
import { showKeys } from "./Keys.tsx"

const names = { system: "System", light: "Light", dark: "Dark" } as const

export const Menu = () => {
  const who = me.value
  const name = who?.admin === true ? "admin" : (who?.app ?? "")
  return (
    <>
      <button type="button" class="button menu-button" popovertarget="menu" aria-label={`${name}: menu`}>
        <span>
          <i class="who">{name}</i> ▾
        </span>
      </button>
      <div id="menu" popover="auto" class="account-menu">
        <p>
          Logged in as <b>{who?.admin === true ? "the admin" : `the app ${name}`}</b>
          <br />
          <span class="faint">
            {who?.admin === true ? "sees all sessions" : "sees its own sessions"} · Troupe {who?.version}
          </span>
        </p>
        <fieldset class="choice">
          <legend>Colours</legend>
          {themes.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="theme"
                checked={theme.value === each}
                onChange={() => {
                  theme.value = each
                }}
              />
              <span>{names[each]}</span>
            </label>
          ))}
        </fieldset>
        <button type="button" class="button" popovertarget="menu" popovertargetaction="hide" onClick={showKeys}>
          Keys
        </button>
        <button type="button" class="button" onClick={() => void leave()}>
          Log out
        </button>
      </div>
    </>
  )
}

const leave = async () => {
  try {
    await api.logout()
    me.value = null
    say("Logged out")
  } catch (cause) {
    sayProblem(cause)
  }
}
