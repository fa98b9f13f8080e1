/**
 * One message: each field's number and type. A type is a scalar of protobuf, a message or an enum of the
 * table by its full name or by its last part within the same package; `[]T` is a repeated field, `map<T>` a
 * map from strings. Fields of `oneof` exclude each other.
 */
export type MessageTable = {
  readonly fields: Readonly<Record<string, readonly [number: number, type: string]>>
  readonly oneof?: Readonly<Record<string, readonly string[]>>
}

/** A protobuf package, as far as it is spoken here. */
export type PackageTable = {
  readonly name: string
  readonly messages: Readonly<Record<string, MessageTable>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const empty: MessageTable = { fields: {} }

/** A message without a oneof. */
export function fields(fields: MessageTable['fields']): MessageTable {
  return { fields }
}
