package store

import (
	"encoding/binary"
	"errors"

	"allocation/outbox"
)

// Headers are kept as Kafka encodes them in a record: a zigzag varint count, then for each a length
// and the bytes of its key, and a length (-1: no value) and the bytes of its value.

func encodeHeaders(headers []outbox.Header) []byte {
	out := binary.AppendVarint(nil, int64(len(headers)))
	for _, h := range headers {
		out = binary.AppendVarint(out, int64(len(h.Key)))
		out = append(out, h.Key...)
		if h.Value == nil {
			out = binary.AppendVarint(out, -1)
			continue
		}
		out = binary.AppendVarint(out, int64(len(h.Value)))
		out = append(out, h.Value...)
	}
	return out
}

var errHeaders = errors.New("stored headers are damaged")

func decodeHeaders(in []byte) ([]outbox.Header, error) {
	r := headerReader{in: in}
	count := r.varint()
	var headers []outbox.Header
	for range count {
		h := outbox.Header{Key: string(r.bytes()), Value: r.bytes()}
		if r.damaged {
			return nil, errHeaders
		}
		headers = append(headers, h)
	}
	if r.damaged || len(r.in) > 0 {
		return nil, errHeaders
	}
	return headers, nil
}

type headerReader struct {
	in      []byte
	damaged bool
}

func (r *headerReader) varint() int64 {
	v, n := binary.Varint(r.in)
	if n <= 0 {
		r.damaged = true
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *headerReader) bytes() []byte {
	n := r.varint()
	if n == -1 {
		return nil
	}
	if n < 0 || n > int64(len(r.in)) {
		r.damaged = true
		return nil
	}
	b := r.in[:n:n]
	r.in = r.in[n:]
	return b
}
