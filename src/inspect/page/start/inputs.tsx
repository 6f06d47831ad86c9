/** The inputs of the form of a new session: a labelled list to choose from, and a labelled line of text. */
import { useId } from "preact/hooks"

interface PickerProps {
  readonly label: string
  /** What the chosen value means. */
  readonly about?: string | undefined
  readonly value: string
  readonly pick: (value: string) => void
  readonly children: ReadonlyArray<{ readonly value: string; readonly label?: string }>
}

export const Picker = ({ about, children, label, pick, value }: PickerProps) => {
  const id = useId()
  return (
    <div class="question-field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="select"
        value={value}
        aria-describedby={`${id}-about`}
        onChange={({ currentTarget }) => pick(currentTarget.value)}
      >
        {children.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label ?? option.value}
          </option>
        ))}
      </select>
      <small id={`${id}-about`} class="dim">
        {about}
      </small>
    </div>
  )
}

interface TextProps {
  readonly label: string
  readonly about?: string
  readonly placeholder?: string
  readonly value: string
  readonly isPath?: boolean
  readonly change: (text: string) => void
}

export const TextInput = ({ about, change, isPath = false, label, placeholder, value }: TextProps) => {
  const id = useId()
  return (
    <div class="question-field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class={`field${isPath ? " mono" : ""}`}
        type="text"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={placeholder}
        value={value}
        {...(about === undefined ? {} : { "aria-describedby": `${id}-about` })}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      {about === undefined ? null : (
        <small id={`${id}-about`} class="dim">
          {about}
        </small>
      )}
    </div>
  )
}
