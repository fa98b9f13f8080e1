let onHangUp = (): void => {
  process.exit()
}

/** `holdfast logs | head`: a reader that has gone away is no error. */
export function dieQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream === process.stdout) onHangUp()
    })
  }
}

/** What to do instead of exiting when nobody reads standard output any more. */
export function whenReaderGoes(react: () => void): void {
  onHangUp = react
}
