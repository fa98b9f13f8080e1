import { fields, type PackageTable } from '../table.ts'

/** Attributes, error details, and the language in which a plugin says what its configuration looks like. */
export const sharedPackages: readonly PackageTable[] = [
  {
    name: 'hashicorp.nomad.plugins.shared.structs',
    messages: {
      Attribute: {
        fields: {
          float_val: [1, 'double'],
          int_val: [2, 'int64'],
          string_val: [3, 'string'],
          bool_val: [4, 'bool'],
          unit: [5, 'string'],
        },
        oneof: { value: ['float_val', 'int_val', 'string_val', 'bool_val'] },
      },
      RecoverableError: fields({ recoverable: [1, 'bool'] }),
    },
    enums: {},
  },
  {
    name: 'hashicorp.nomad.plugins.shared.hclspec',
    messages: {
      Spec: {
        fields: {
          object: [1, 'Object'],
          array: [2, 'Array'],
          Attr: [3, 'Attr'],
          block_value: [4, 'Block'],
          block_attrs: [5, 'BlockAttrs'],
          block_list: [6, 'BlockList'],
          block_set: [7, 'BlockSet'],
          block_map: [8, 'BlockMap'],
          default: [9, 'Default'],
          literal: [10, 'Literal'],
        },
        oneof: {
          block: [
            'object',
            'array',
            'Attr',
            'block_value',
            'block_attrs',
            'block_list',
            'block_set',
            'block_map',
            'default',
            'literal',
          ],
        },
      },
      Object: fields({ attributes: [1, 'map<Spec>'] }),
      Array: fields({ values: [1, '[]Spec'] }),
      Attr: fields({ name: [1, 'string'], type: [2, 'string'], required: [3, 'bool'] }),
      Block: fields({ name: [1, 'string'], required: [2, 'bool'], nested: [3, 'Spec'] }),
      BlockAttrs: fields({ name: [1, 'string'], type: [2, 'string'], required: [3, 'bool'] }),
      BlockList: fields({
        name: [1, 'string'],
        min_items: [2, 'uint64'],
        max_items: [3, 'uint64'],
        nested: [4, 'Spec'],
      }),
      BlockSet: fields({
        name: [1, 'string'],
        min_items: [2, 'uint64'],
        max_items: [3, 'uint64'],
        nested: [4, 'Spec'],
      }),
      BlockMap: fields({ name: [1, 'string'], labels: [2, '[]string'], nested: [3, 'Spec'] }),
      Default: fields({ primary: [1, 'Spec'], default: [2, 'Spec'] }),
      Literal: fields({ value: [1, 'string'] }),
    },
    enums: {},
  },
]
