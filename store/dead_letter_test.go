package store

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/outbox"
	"allocation/worker"
)

func TestApply_keepsDeadLettersByteForByte(t *testing.T) {
	b := setup(t, 1)
	strange := worker.Command{
		Refusal: &worker.Refusal{Reason: "malformed", Message: "it is"},
		Cause:   &outbox.Cause{Time: outbox.NoTime},
		Key:     nil,
		Value:   []byte("\x00\xff\xfe{"),
		Headers: []outbox.Header{{Key: "", Value: nil}, {Key: "\xff\x00", Value: []byte{}}, {Key: "a", Value: []byte("\x00")}, {Key: "a", Value: []byte("b")}},
	}
	empty := worker.Command{Refusal: strange.Refusal, Cause: strange.Cause, Key: []byte{}, Value: nil}
	applied := b.apply(strange, empty)
	rows, err := b.Rows(t.Context(), b.claims[0].Source, 0, 2)
	require.NoError(t, err)
	require.Equal(t, applied.Rows[0], rows)
}

func TestApply_rejectsAnAllocateAndKeepsItsDeadLetter(t *testing.T) {
	b := setup(t, 1)
	applied := b.apply(command(0, "Allocate", `{"orderid":"o1","sku":"NONE","qty":1}`))
	require.Equal(t, []string{"refused unknown_sku", `0 AllocationRejected {"orderid":"o1","sku":"NONE","qty":1,"reason":"unknown_sku"}`}, says(applied.Rows[0]))
	require.Equal(t, []worker.Outcome{{Result: worker.Refused, Reason: "unknown_sku"}}, applied.Outcomes)
	rows, err := b.Rows(t.Context(), b.claims[0].Source, 0, 2)
	require.NoError(t, err)
	require.Equal(t, applied.Rows[0], rows)
}

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
