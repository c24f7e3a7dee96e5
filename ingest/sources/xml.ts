import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { Unreadable } from './format.ts'

/** An element takes some microseconds; messages of manufacturing systems have kilobytes. */
const XML_BYTES_MAX = 1_048_576
const DEPTH_MAX = 64
/** Name of the text of an element that has attributes or children as well. */
export const TEXT = '#text'
/** Names of attributes begin with it. */
export const ATTRIBUTE = '@'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  parseAttributeValue: false,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  textNodeName: TEXT,
  maxNestedTags: DEPTH_MAX,
})

/**
 * Elements as objects by their names without prefix: those that come several times as arrays, those without children as texts.
 * Throws Unreadable. A document with a DOCTYPE is refused: entities of its own could grow without bound or name files.
 */
export function parseXml(body: Buffer): unknown {
  if (body.length > XML_BYTES_MAX)
    throw new Unreadable('xml-size', `the XML has ${body.length} bytes, more than ${XML_BYTES_MAX}`)
  const text = body.toString('utf8').replace(/^\uFEFF/, '')
  if (/<!DOCTYPE/i.test(text)) throw new Unreadable('xml-doctype', 'XML with a DOCTYPE is not read')
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new Unreadable('xml-syntax', `the body is no XML: ${valid.err.msg}`)
  return parsed(text)
}

function parsed(text: string): unknown {
  try {
    return parser.parse(text)
  } catch (error) {
    // Names such as __proto__, and elements in elements without end.
    const why = error instanceof Error ? error.message : String(error)
    throw new Unreadable('xml-syntax', `the XML is not read: ${why}`)
  }
}
