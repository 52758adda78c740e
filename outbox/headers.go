package outbox

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kbin"
)

// Headers are kept as Kafka encodes them in a record: a zigzag varint count, then for each a length
// and the bytes of its key, and a length (-1: no value) and the bytes of its value.

// EncodeHeaders is how the database keeps headers.
func EncodeHeaders(headers []Header) []byte {
	out := kbin.AppendVarint(nil, int32(len(headers))) //nolint:gosec // as many as a record has
	for _, h := range headers {
		out = kbin.AppendVarintBytes(kbin.AppendVarintString(out, h.Key), h.Value)
	}
	return out
}

var errHeaders = errors.New("stored headers are damaged")

// DecodeHeaders reads what EncodeHeaders wrote.
func DecodeHeaders(in []byte) (headers []Header, err error) {
	r := kbin.Reader{Src: in}
	for range r.VarintArrayLen() {
		headers = append(headers, Header{Key: r.VarintString(), Value: r.VarintBytes()})
		if !r.Ok() {
			return nil, errHeaders
		}
	}
	if !r.Ok() || len(r.Src) > 0 {
		return nil, errHeaders
	}
	return headers, nil
}
