/** schemas/json: the shapes of Tocsin's data and configuration for editors and other languages. */
import { z } from 'zod'
import { alert, annotations, labels } from '../../schemas/alert.ts'
import { change } from '../../schemas/change.ts'
import { command } from '../../schemas/command.ts'
import { config } from '../../schemas/config.ts'
import { incident } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { record } from '../../schemas/record.ts'
import { sample } from '../../schemas/sample.ts'

const SHAPES = { alert, sample, record, command, incident, change, config }

function stringMap(value_chars_max: number) {
  return {
    type: 'object' as const,
    maxProperties: LIMITS.labels_per_alert,
    propertyNames: { maxLength: LIMITS.label_name_chars },
    additionalProperties: { type: 'string' as const, maxLength: value_chars_max },
  }
}

/** JSON Schema 2020-12 of each shape, by its name. Maps of strings are checked by hand and said by hand. */
export function jsonSchemas(): Map<string, object> {
  return new Map(
    Object.entries(SHAPES).map(([name, shape]) => {
      const schema = z.toJSONSchema(shape as z.ZodType, {
        io: 'input',
        unrepresentable: 'any',
        override: ({ zodSchema, jsonSchema }) => {
          if (zodSchema === labels) Object.assign(jsonSchema, stringMap(LIMITS.label_value_chars))
          if (zodSchema === annotations) Object.assign(jsonSchema, stringMap(LIMITS.annotation_value_chars))
        },
      })
      return [name, { title: `Tocsin ${name}`, ...schema }]
    }),
  )
}
