package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplit_readsWordsAsAShellDoes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                                  nil,
		" \t ":                              nil,
		"Allocate  orderid=o1\tqty=20 ":     {"Allocate", "orderid=o1", "qty=20"},
		`Allocate sku='a b' orderid="it's"`: {"Allocate", "sku=a b", "orderid=it's"},
		`a\ b "x \"y\" \\" '' $HOME *`:      {"a b", `x "y" \`, "", "$HOME", "*"},
		`$'o\U0000202E1\'\\'`:               {"o\u202e1'\\"},
		`'\' "'"`:                           {`\`, "'"},
	} {
		got, err := Split(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{`sku='a`, `sku="a`, `sku=$'a`, `a\`} {
		_, err := Split(line)
		require.Error(t, err, line)
	}
}

func TestSplit_readsWhatQuoteWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "words")
		got, err := Split(Quote(words...))
		require.NoError(t, err)
		require.Equal(t, words, got)
	})
}
