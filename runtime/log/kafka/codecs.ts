import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { promisify } from 'node:util'
import { CompressionCodecs, CompressionTypes } from 'kafkajs'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
void constants
/** kafkajs knows gzip alone. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
    decompress,
  })
}
