package outbox

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHeaders_areDecodedAsTheyWereEncoded(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "value")...)
	})
	rapid.Check(t, func(t *rapid.T) {
		var headers []Header
		for range rapid.IntRange(0, 5).Draw(t, "count") {
			headers = append(headers, Header{Key: string(rapid.SliceOf(rapid.Byte()).Draw(t, "key")), Value: value.Draw(t, "header")})
		}
		got, err := DecodeHeaders(EncodeHeaders(headers))
		require.NoError(t, err)
		require.Equal(t, headers, got)
	})
}

func FuzzDecodeHeaders(f *testing.F) {
	f.Add(EncodeHeaders([]Header{{Key: "a", Value: []byte("b")}, {Key: "c"}}))
	f.Fuzz(func(t *testing.T, in []byte) {
		headers, err := DecodeHeaders(in)
		if err == nil {
			again, err := DecodeHeaders(EncodeHeaders(headers))
			require.NoError(t, err)
			require.Equal(t, headers, again)
		}
	})
}
