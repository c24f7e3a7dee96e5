import { dashboards } from '../grafana/dashboards.ts'
import { exampleYaml } from './example.ts'
import { jsonSchemas } from './json_schemas.ts'
import { reference } from './reference.ts'

/** Every generated file: its path from the root, and its text. */
export function outputs(): Map<string, string> {
  const schemas = [...jsonSchemas()].map(([name, schema]): [string, string] => [
    `schemas/json/${name}.schema.json`,
    `${JSON.stringify(schema, null, 2)}\n`,
  ])
  return new Map([
    ['deploy/tocsin.example.yaml', exampleYaml()],
    ['docs/configuration.md', reference()],
    ...schemas,
    ...dashboards(),
  ])
}
