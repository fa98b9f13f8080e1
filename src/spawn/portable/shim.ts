/** The program of a portable shim: one Node process per task, the task's parent. See portable-shim.ts. */
import { text } from 'node:stream/consumers'
import { PortableShim } from './portable-shim.ts'
import type { ShimRequest } from './request.ts'

const request = JSON.parse(await text(process.stdin)) as ShimRequest
await new PortableShim(request).run()
