import pc from 'picocolors'

export type Colors = ReturnType<typeof pc.createColors>

/**
 * Colours for one stream. Asked of the stream itself: picocolors' own answer knows standard output only, and
 * takes a `--color` among the arguments of the task for one of ours.
 */
export function colorsFor(
  stream: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): Colors {
  return pc.createColors(stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb')
}
