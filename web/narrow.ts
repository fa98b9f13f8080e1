/** As the style sheet has it: list and task take turns. */
export function isNarrow(): boolean {
  return matchMedia('(max-width: 820px)').matches
}
