import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import { decompressLz4 } from '../../../ingest/compression/lz4.ts'
import { decompressSnappy } from '../../../ingest/compression/snappy.ts'

// Node does not find these among the named exports of kafkajs.
const { CompressionCodecs, CompressionTypes } = kafkajs

/** Of one batch, decompressed: brokers take batches of 1 MiB unless told otherwise, and a small one may hide a huge one. */
const DECOMPRESSED_BYTES_MAX = 128 * 1024 * 1024

const bounded = { maxOutputLength: DECOMPRESSED_BYTES_MAX }
const [gzipAsync, gunzipAsync] = [promisify(gzip), promisify(gunzip)]
const [zstdAsync, unzstdAsync] = [promisify(zstdCompress), promisify(zstdDecompress)]

interface Encoder {
  readonly buffer: Buffer
}

/** Producers choose how they compress, so every way of Kafka has to be read; kafkajs knows gzip alone, and without a bound. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: Encoder) => gzipAsync(buffer),
    decompress: (buffer: Buffer) => gunzipAsync(buffer, bounded),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: Encoder) => zstdAsync(buffer),
    decompress: (buffer: Buffer) => unzstdAsync(buffer, bounded),
  })
  CompressionCodecs[CompressionTypes.Snappy] = () =>
    readOnly((buffer) => decompressSnappy(buffer, DECOMPRESSED_BYTES_MAX))
  CompressionCodecs[CompressionTypes.LZ4] = () =>
    readOnly((buffer) => decompressLz4(buffer, DECOMPRESSED_BYTES_MAX))
}

function readOnly(decompress: (buffer: Buffer) => Buffer) {
  return {
    compress: () => Promise.reject(new Error('nothing is written with this codec')),
    decompress: async (buffer: Buffer) => decompress(buffer),
  }
}
