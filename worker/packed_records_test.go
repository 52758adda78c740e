package worker

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A batch of any codec is read record by record, and no further than there is room.
func TestUnpack_readsEachCodec(t *testing.T) {
	t.Parallel()
	const records, first = 3, 40
	var raw []byte
	for i := range records {
		r := encodedRecord(i, 5, 1000, 2)
		raw = append(binary.AppendVarint(raw, int64(len(r))), r...)
	}
	for codec, packs := range map[kgo.CompressionCodecType]kgo.CompressionCodec{
		kgo.CodecGzip: kgo.GzipCompression(), kgo.CodecSnappy: kgo.SnappyCompression(), kgo.CodecLz4: kgo.Lz4Compression(), kgo.CodecZstd: kgo.ZstdCompression(),
	} {
		compressor, err := kgo.DefaultCompressor(packs)
		require.NoError(t, err)
		packed, _ := compressor.Compress(&bytes.Buffer{}, raw)
		batch := &kmsg.RecordBatch{FirstOffset: first, LastOffsetDelta: records - 1, NumRecords: records, Attributes: int16(codec), Records: packed}
		p, err := unpack(batch, int64(len(raw)))
		require.NoError(t, err, codecs[codec])
		for i := range records {
			r, large, err := p.next()
			require.NoError(t, err, codecs[codec])
			require.Nil(t, large)
			require.Equal(t, int64(first+i), r.Offset)
			require.Len(t, r.Value, 1000)
			require.Len(t, r.Headers, 2)
		}
		_, _, err = p.next()
		require.ErrorIs(t, err, io.EOF, codecs[codec])
		p.close()

		p, err = unpack(batch, int64(len(raw)-1))
		for err == nil {
			_, _, err = p.next()
		}
		require.ErrorIs(t, err, errRoom, codecs[codec])
	}
}
