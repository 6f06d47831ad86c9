/** The session machine with how often each of its arrows was taken. */
export default function MachineView() {
  return <main id="view" class="view" tabIndex={-1} />
}
