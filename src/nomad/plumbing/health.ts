import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { streamOut, unary } from '../wire/handlers.ts'

const serving = { status: 1 }
const unknown = { status: 3 }

/** go-plugin's ping asks for the service `plugin`. */
export const health: UntypedServiceImplementation = {
  Check: unary(({ service }: { service: string }) => statusOf(service)),
  Watch: streamOut(({ service }: { service: string }, out) => {
    out.send(statusOf(service))
    return () => {}
  }),
}

function statusOf(service: string): object {
  return service === '' || service === 'plugin' ? serving : unknown
}
