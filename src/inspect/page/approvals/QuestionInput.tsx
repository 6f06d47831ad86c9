/** The input of one field: a text, a number, a box to check, or options to choose from. */
import type { ComponentChildren } from "preact"
import { withChosen } from "./drafts.ts"
import type { Draft, Field } from "./drafts.ts"

interface Props {
  readonly field: Field
  /** Unique on the page, for ids and groups. */
  readonly name: string
  readonly draft: Draft
  readonly isInvalid: boolean
  readonly change: (draft: Draft) => void
}

/** As many options are shown as buttons; more are a list to open. */
const mostButtons = 8

export const QuestionInput = (props: Props) => {
  switch (props.field.type) {
    case "text":
    case "number":
      return <Line {...props} />
    case "boolean":
      return <Box {...props} />
    case "choice":
      return (props.field.options ?? []).length > mostButtons ? <List {...props} /> : <Buttons {...props} />
    case "choices":
      return <Boxes {...props} />
  }
}

/** What all controls of a field say to readers of the screen. */
const ariaOf = ({ field: { description, required }, isInvalid, name }: Props) => ({
  "aria-invalid": isInvalid,
  "aria-required": required,
  ...(description === undefined ? {} : { "aria-describedby": `${name}-about` })
})

const Description = ({ field: { description }, name }: Props) =>
  description === undefined ? null : (
    <small id={`${name}-about`} class="dim">
      {description}
    </small>
  )

const Optional = ({ field: { required } }: Props) => (required ? null : <span class="faint"> (optional)</span>)

const Line = (props: Props) => {
  const { change, draft, field, name } = props
  const isNumber = field.type === "number"
  return (
    <div class="question-field">
      <label for={name}>
        {field.label}
        <Optional {...props} />
      </label>
      <Description {...props} />
      <input
        id={name}
        class="field"
        {...typeOf(field)}
        inputMode={isNumber ? "decimal" : "text"}
        autocomplete="off"
        value={draft.text}
        {...ariaOf(props)}
        onInput={({ currentTarget }) => change({ ...draft, text: currentTarget.value })}
      />
    </div>
  )
}

const Box = (props: Props) => {
  const { change, draft, field, name } = props
  return (
    <div class="question-field">
      <label class="question-option" for={name}>
        <input
          id={name}
          type="checkbox"
          checked={draft.isChecked === true}
          {...ariaOf(props)}
          onChange={({ currentTarget }) => change({ ...draft, isChecked: currentTarget.checked })}
        />
        <span>
          {field.label}
          <Optional {...props} />
        </span>
      </label>
      <Description {...props} />
    </div>
  )
}

const List = (props: Props) => {
  const { change, draft, field, name } = props
  return (
    <div class="question-field">
      <label for={name}>
        {field.label}
        <Optional {...props} />
      </label>
      <Description {...props} />
      <select
        id={name}
        class="field"
        value={draft.isOther ? otherKey : keyOf(field, draft.chosen[0])}
        {...ariaOf(props)}
        onChange={({ currentTarget: { value } }) => {
          const option = field.options?.[Number(value)]
          const chosen = value === "" || value === otherKey || option === undefined ? [] : [option.value]
          change({ ...draft, chosen, isOther: value === otherKey })
        }}
      >
        <option value="">—</option>
        {(field.options ?? []).map((option, nth) => (
          <option key={option.value} value={String(nth)}>
            {option.label}
            {option.description === undefined ? "" : `: ${option.description}`}
          </option>
        ))}
        {field.other === true ? <option value={otherKey}>Something else</option> : null}
      </select>
      {draft.isOther ? <OtherText {...props} /> : null}
    </div>
  )
}

/** An option's value may be any text, also an empty one, so the list has their numbers. */
const keyOf = ({ options = [] }: Field, value: string | undefined): string => {
  const nth = options.findIndex((option) => option.value === value)
  return nth === -1 ? "" : String(nth)
}
const otherKey = "other"

const Group = (props: Props & { readonly children: ComponentChildren }) => (
  <fieldset
    class="question-field"
    {...(props.field.description === undefined ? {} : { "aria-describedby": `${props.name}-about` })}
  >
    <legend>
      {props.field.label}
      <Optional {...props} />
    </legend>
    <Description {...props} />
    {props.children}
  </fieldset>
)

const Buttons = (props: Props) => {
  const { change, draft, field, isInvalid, name } = props
  const hasNone = !draft.isOther && draft.chosen.length === 0
  return (
    <Group {...props}>
      {(field.options ?? []).map(({ description, label, value }) => (
        <label key={value} class="question-option">
          <input
            type="radio"
            name={name}
            checked={!draft.isOther && draft.chosen[0] === value}
            aria-invalid={isInvalid}
            onChange={() => change({ ...draft, isOther: false, chosen: [value] })}
          />
          <OptionText label={label} description={description} />
        </label>
      ))}
      {field.other === true ? (
        <label class="question-option">
          <input
            type="radio"
            name={name}
            checked={draft.isOther}
            aria-invalid={isInvalid}
            onChange={() => change({ ...draft, isOther: true })}
          />
          <OptionText label="Something else" />
        </label>
      ) : null}
      {draft.isOther ? <OtherText {...props} /> : null}
      {field.required ? null : (
        <label class="question-option">
          <input
            type="radio"
            name={name}
            checked={hasNone}
            onChange={() => change({ ...draft, isOther: false, chosen: [] })}
          />
          <OptionText label="No answer" />
        </label>
      )}
    </Group>
  )
}

const Boxes = (props: Props) => {
  const { change, draft, field, isInvalid } = props
  return (
    <Group {...props}>
      {(field.options ?? []).map(({ description, label, value }) => (
        <label key={value} class="question-option">
          <input
            type="checkbox"
            checked={draft.chosen.includes(value)}
            aria-invalid={isInvalid}
            onChange={({ currentTarget }) => change(withChosen(field, draft, value, currentTarget.checked))}
          />
          <OptionText label={label} description={description} />
        </label>
      ))}
      {field.other === true || (field.options ?? []).length === 0 ? (
        <label class="question-option">
          <input
            type="checkbox"
            checked={draft.isOther}
            aria-invalid={isInvalid}
            onChange={({ currentTarget }) => change({ ...draft, isOther: currentTarget.checked })}
          />
          <OptionText label="Something else" />
        </label>
      ) : null}
      {draft.isOther ? <OtherText {...props} /> : null}
    </Group>
  )
}

/** Spread, because the types of an input's attributes depend on its type. */
const typeOf = ({ secret }: Props["field"]) =>
  secret === true ? ({ type: "password" } as const) : ({ type: "text" } as const)

const OptionText = ({ description, label }: { readonly label: string; readonly description?: string | undefined }) => (
  <span>
    {label}
    {description === undefined ? null : <small class="dim">{description}</small>}
  </span>
)

const OtherText = ({ change, draft, field, isInvalid }: Props) => (
  <input
    class="field"
    {...typeOf(field)}
    autocomplete="off"
    aria-label={`Something else: ${field.label}`}
    aria-invalid={isInvalid}
    value={draft.other}
    onInput={({ currentTarget }) => change({ ...draft, other: currentTarget.value })}
  />
)
