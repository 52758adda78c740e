package console

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	const message = `{"orderid":"o1","qty":20,"a\"b":"c\":d","list":["Zoë",null]}`
	require.JSONEq(t, message, PayloadsFull.Show([]byte(message)))
	require.Equal(t, "{\n  \"orderid\": \"x0\",\n  \"qty\": 00,\n  \"x\\\"x\": \"x\\\":x\",\n  \"list\": [\n    \"xxx\",\n    xxxx\n  ]\n}", PayloadsMasked.Show([]byte(message)))
	require.Equal(t, `xxxxxx "xxx": 00`, PayloadsMasked.Show([]byte(`secret "foo": 12`)), "what is no JSON has no names of fields")
	require.Equal(t, "(7 bytes; the console shows no content of messages)", PayloadsNone.Show([]byte(`{"a":1}`)))
	require.Contains(t, PayloadsFull.Show([]byte(strings.Repeat("a", maxPayload+7))), "… and 7 bytes more")
	require.Equal(t, `"\xff\x00"`, PayloadsFull.Show([]byte{0xff, 0}))
}

// Of a message that is masked, only the names of fields have letters and digits of their own.
func TestPayloads_maskAllValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		content, err := json.Marshal(map[string]any{"name": value, "list": []string{value}, "n": rapid.Int().Draw(t, "n")})
		require.NoError(t, err)
		shown := PayloadsMasked.Show(content)
		for _, name := range []string{`"name":`, `"list":`, `"n":`} {
			require.Contains(t, shown, name)
			shown = strings.Replace(shown, name, "", 1)
		}
		for _, r := range shown {
			require.False(t, unicode.IsLetter(r) && r != 'x' || unicode.IsDigit(r) && r != '0', "%q in %s", r, shown)
		}
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		if !json.Valid(text) {
			for _, r := range PayloadsMasked.Show(text) {
				require.False(t, unicode.IsLetter(r) && r != 'x' || unicode.IsDigit(r) && r != '0', "%q", r)
			}
		}
	})
}
