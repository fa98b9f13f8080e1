import protobuf from 'protobufjs/light.js'
import type { MessageTable, PackageTable } from './table.ts'
import { basePackage } from './tables/base.ts'
import { commonPackages } from './tables/common.ts'
import { driverPackage } from './tables/driver.ts'
import { pluginPackage } from './tables/plugin.ts'
import { sharedPackages } from './tables/shared.ts'

/**
 * A message as a plain object: absent messages are null, lists and maps are always there, 64-bit integers are
 * numbers, bytes are Buffers.
 */
export type Message = Readonly<Record<string, unknown>>

/**
 * Bytes to plain objects and back, for one message of the tables. The types built from the tables are
 * protobufjs's own, without a .proto file and without a build step.
 */
export type Codec = {
  readonly encode: (message: object) => Buffer
  readonly decode: (bytes: Uint8Array) => Message
}

const asPlain: protobuf.IConversionOptions = {
  longs: Number,
  enums: Number,
  bytes: Buffer,
  defaults: true,
  arrays: true,
  objects: true,
  oneofs: true,
}

/** By full name, such as `plugin.Empty`. Throws for a name that is in no table. */
export function codec(name: string): Codec {
  const type = root.lookupType(name)
  return {
    encode: message => Buffer.from(type.encode(type.fromObject(message)).finish()),
    decode: bytes => type.toObject(type.decode(bytes), asPlain),
  }
}

const root = buildRoot([...commonPackages, pluginPackage, ...sharedPackages, basePackage, driverPackage])

function buildRoot(packages: readonly PackageTable[]): protobuf.Root {
  const made = new protobuf.Root()
  for (const { name, messages, enums } of packages) {
    const namespace = made.define(name)
    for (const [enumName, values] of Object.entries(enums)) namespace.add(new protobuf.Enum(enumName, values))
    for (const [messageName, table] of Object.entries(messages)) namespace.add(typeOf(messageName, table))
  }
  made.resolveAll()
  return made
}

function typeOf(name: string, { fields, oneof = {} }: MessageTable): protobuf.Type {
  const type = new protobuf.Type(name)
  for (const [fieldName, [number, kind]] of Object.entries(fields)) type.add(fieldOf(fieldName, number, kind))
  for (const [oneofName, members] of Object.entries(oneof))
    type.add(new protobuf.OneOf(oneofName, [...members]))
  return type
}

function fieldOf(name: string, number: number, kind: string): protobuf.FieldBase {
  // proto3 packs numbers; where there is nothing to pack the option says nothing.
  if (kind.startsWith('[]'))
    return new protobuf.Field(name, number, kind.slice(2), 'repeated', undefined, { packed: true })
  const value = /^map<(.+)>$/.exec(kind)?.[1]
  if (value !== undefined) return new protobuf.MapField(name, number, 'string', value)
  return new protobuf.Field(name, number, kind)
}
