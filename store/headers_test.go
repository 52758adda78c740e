package store

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/outbox"
)

func TestHeaders_areDecodedAsTheyWereEncoded(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "value")...)
	})
	rapid.Check(t, func(t *rapid.T) {
		var headers []outbox.Header
		for range rapid.IntRange(0, 5).Draw(t, "count") {
			headers = append(headers, outbox.Header{Key: string(rapid.SliceOf(rapid.Byte()).Draw(t, "key")), Value: value.Draw(t, "header")})
		}
		got, err := decodeHeaders(encodeHeaders(headers))
		require.NoError(t, err)
		require.Equal(t, headers, got)
	})
}

func FuzzDecodeHeaders(f *testing.F) {
	f.Add(encodeHeaders([]outbox.Header{{Key: "a", Value: []byte("b")}, {Key: "c"}}))
	f.Fuzz(func(t *testing.T, in []byte) {
		headers, err := decodeHeaders(in)
		if err == nil {
			again, err := decodeHeaders(encodeHeaders(headers))
			require.NoError(t, err)
			require.Equal(t, headers, again)
		}
	})
}
