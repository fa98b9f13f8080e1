import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { streamBoth, streamOut } from '../wire/handlers.ts'

/** go-plugin opens both streams at once and keeps them. Nomad's drivers use neither. */
export const broker: UntypedServiceImplementation = {
  StartStream: streamBoth((call, cancelled) => {
    return new Promise(resolve => {
      call.on('end', resolve)
      cancelled.addEventListener('abort', () => resolve())
      call.resume()
    })
  }),
}

export const stdio: UntypedServiceImplementation = {
  StreamStdio: streamOut(() => () => {}),
}
