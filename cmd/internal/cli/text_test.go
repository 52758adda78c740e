package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a terminal acts on, or nobody sees, is replaced where people read, and escaped where
// programs do.
func TestPrintable_showsNothingThatConfuses(t *testing.T) {
	t.Parallel()
	for _, r := range "\u0007\u001b\u007f\u009b\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff" +
		"\U000E0001\U000E0041\U000E0100" {
		text := "o" + string(r) + "1"
		require.Equal(t, "o\uFFFD1", Printable(text), "%U", r)
		var out bytes.Buffer
		require.NoError(t, NewJSONEncoder(&out).Encode(text))
		require.NotContains(t, out.String(), string(r), "%U", r)
		var back string
		require.NoError(t, json.Unmarshal(out.Bytes(), &back))
		require.Equal(t, text, back)
	}
	for _, text := range []string{"Stuhl, grün", "椅子", "كرسي", "😀", "e\u0301"} {
		require.Equal(t, text, Printable(text))
	}
	require.Equal(t, "a\nb\uFFFD", PrintableLines("a\nb\x1b"))
}
