import { constants, openSync, renameSync } from 'node:fs'
import { Socket } from 'node:net'
import { Endpoint, readLines } from '../channel/endpoint.ts'
import { makeFifos } from '../fifos.ts'

/** Makes what a shim is known to live by, held from the moment it is there, and hears the lines that come. */
export function holdShimEnd(dir: string, onLine: (line: string) => void): void {
  if (process.platform === 'win32') new Endpoint(`${dir}/alive`, onLine)
  else holdFifos(dir, onLine)
}

function holdFifos(dir: string, onLine: (line: string) => void): void {
  makeFifos(`${dir}/alive.tmp`, `${dir}/control.tmp`)
  const both = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW
  // Read-write, so that neither open waits for a peer; we are its writer for as long as we live.
  openSync(`${dir}/alive.tmp`, both)
  // Only now, and first of all: who sees it without a holder takes us for dead.
  renameSync(`${dir}/alive.tmp`, `${dir}/alive`)
  const fd = openSync(`${dir}/control.tmp`, both)
  renameSync(`${dir}/control.tmp`, `${dir}/control`)
  readLines(new Socket({ fd, readable: true, writable: false }), onLine)
}
